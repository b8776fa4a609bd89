// Starting points for a first condition, in words a marketer uses.
export const examples: { title: string; condition: string; description: string }[] = [
  { title: "Regular buyers", condition: 'events("Order Completed").within("90d").count() > 5', description: "More than five orders in 90 days" },
  { title: "Looked, did not buy", condition: 'events("Product Viewed").within("48h").exists()\n  && !events("Order Completed").within("48h").exists()', description: "Viewed a product in the last 48 hours without an order" },
  { title: "Left something in the cart", condition: 'events("Product Added").within("24h").exists()\n  && !events("Order Completed").within("24h").exists()', description: "Added to the cart in the last 24 hours without an order" },
  { title: "Big spenders", condition: 'events("Order Completed").sum(e, e.properties.total) > 500.0', description: "Spent more than 500 in all" },
  { title: "Gone quiet", condition: 'events("Order Completed").exists()\n  && !events("Order Completed").within("90d").exists()', description: "Bought once, but not in the last 90 days" },
  { title: "Unusually quiet", condition: 'events("Order Completed").count() >= 2\n  && events("Order Completed").lifecycle() == "at_risk"', description: "Silent for twice as long as is usual for them" },
];
