package shop

// assortment is the shop's fixed range: eight categories of five subcategories of five products, written as
// "name=price in euro". The range does not depend on the seed, so that templates may name a product by its id.
var assortment = []struct {
	id, name, blurb string
	ranges          []productRange
}{
	{"outdoor", "Outdoor", "For the long way home.", []productRange{
		{"tents", "Tents", "Up in five minutes, dry all night.", "Fjell two-person tent=249|Moor trekking tent=189|Skerry family tent=429|Alder ultralight tent=319|Dune beach shelter=79"},
		{"backpacks", "Backpacks", "A steady back and a pocket for everything.", "Marten day pack=69|Ibex touring pack=149|Heron roll-top pack=99|Lynx hip pack=39|Stork city pack=89"},
		{"lanterns", "Lanterns", "Warm light that lasts the evening.", "Ember camp lantern=45|Firefly head lamp=35|Glow folding lantern=29|Harbour storm lantern=55|Spark pocket torch=19"},
		{"bottles", "Bottles", "Keeps cold things cold and hot things hot.", "Brook steel bottle=29|Spring sports bottle=18|Tarn vacuum flask=39|Rill filter bottle=44|Delta wide-neck bottle=24"},
		{"binoculars", "Binoculars", "Clear to the edge, light on the neck.", "Osprey 8x42 binoculars=229|Wagtail 8x25 binoculars=89|Curlew 10x42 binoculars=279|Siskin pocket monocular=49|Falcon 12x50 binoculars=349"},
	}},
	{"kitchen", "Kitchen", "Good tools, good dinners.", []productRange{
		{"pans", "Pans", "Heats evenly and cleans with a wipe.", "Forge iron skillet=59|Copper saute pan=139|Stoneware casserole=89|Pancake pan=35|Deep steel wok=65"},
		{"mugs", "Mugs", "Thrown by hand, so no two are alike.", "Meadow mug=16|Dusk mug=16|Chalk espresso cups=22|Harvest soup mug=19|Morning mug=14"},
		{"knives", "Knives", "Forged, balanced and easy to keep sharp.", "Chef's knife 20 cm=95|Santoku knife=85|Bread knife=49|Paring knife=25|Carving set=129"},
		{"teapots", "Teapots", "Pours without a drip.", "Willow teapot=49|Iron teapot=79|Glass teapot=39|Round-belly teapot=45|Travel teapot=29"},
		{"boards", "Boards", "Oiled wood that only gets better.", "Oak carving board=55|Walnut serving board=45|Olive wood board=39|Bamboo board=19|Round bread board=35"},
	}},
	{"garden", "Garden", "Small plots, big summers.", []productRange{
		{"planters", "Planters", "Frost-proof, with a hidden drain.", "Terracotta planter=29|Zinc trough=45|Hanging planter=22|Balcony box=25|Tall entrance planter=79"},
		{"watering", "Watering cans", "A long reach and a soft rose.", "Copper watering can=59|Garden can 9 l=35|Balcony can 3 l=22|Seedling mister=15|Indoor can=25"},
		{"tools", "Garden tools", "Ash handles, steel that holds an edge.", "Hand trowel=18|Border fork=39|Pruning shears=32|Weeding hoe=29|Bulb planter=24"},
		{"seeds", "Seeds", "Open-pollinated and easy to grow.", "Wildflower mix=6|Kitchen herbs=9|Sweet pea collection=8|Heirloom tomatoes=7|Bee meadow=12"},
		{"birdhouses", "Bird houses", "Built to the measure of its guests.", "Wren nest box=34|Robin nest box=29|Feeder station=49|Bird bath=59|Swift box=45"},
	}},
	{"living", "Living", "A home that feels like yours.", []productRange{
		{"lamps", "Lamps", "Soft, dimmable, and kind to the eye.", "Mushroom table lamp=89|Arc floor lamp=199|Paper pendant=59|Brass reading lamp=129|Linen bedside lamp=65"},
		{"cushions", "Cushions", "Washed linen over a feather filling.", "Stripe cushion=35|Moss velvet cushion=39|Wool check cushion=45|Garden bench cushion=29|Long bolster=49"},
		{"candles", "Candles", "Plant wax, forty quiet hours.", "Fig leaf candle=24|Cedar candle=24|Beeswax pillars=19|Dinner candles=15|Orange blossom candle=26"},
		{"vases", "Vases", "As good empty as with a single branch.", "Pebble vase=39|Tall glass vase=49|Bud vase trio=29|Ribbed stoneware vase=55|Blue bottle vase=25"},
		{"clocks", "Clocks", "A silent movement and an honest face.", "Station wall clock=79|Oak wall clock=95|Travel alarm clock=29|Kitchen timer clock=35|Moon phase clock=119"},
	}},
	{"clothing", "Clothing", "Made to be worn out, slowly.", []productRange{
		{"jackets", "Jackets", "Keeps the wind out and the warmth in.", "Harbour rain jacket=149|Quilted field jacket=129|Fleece jacket=85|Waxed jacket=219|Light wind jacket=75"},
		{"knitwear", "Knitwear", "Wool from one valley, knitted in the next.", "Fisherman's jumper=119|Merino crew neck=89|Roll-neck jumper=99|Lambswool cardigan=109|Cotton summer knit=69"},
		{"hats", "Hats", "Warm ears, clear head.", "Ribbed beanie=25|Bobble hat=29|Five-panel cap=32|Straw sun hat=39|Wool flat cap=49"},
		{"boots", "Boots", "Resoled as often as you like.", "Chelsea boots=169|Walking boots=189|Rubber boots=69|Winter boots=209|Desert boots=139"},
		{"scarves", "Scarves", "Wide, light and never itchy.", "Lambswool scarf=45|Silk square=59|Cashmere scarf=129|Cotton neckerchief=22|Chunky knit scarf=39"},
	}},
	{"sport", "Sport", "A little further than yesterday.", []productRange{
		{"mats", "Mats", "Grips when it matters, rolls up flat.", "Cork yoga mat=69|Travel mat=39|Studio mat=49|Stretching mat=29|Meditation mat=59"},
		{"weights", "Weights", "Solid in the hand, gentle to the floor.", "Kettlebell 8 kg=39|Dumbbell pair 4 kg=45|Kettlebell 12 kg=55|Adjustable dumbbell=149|Ankle weights=25"},
		{"balls", "Balls", "Stitched to keep its shape.", "Street football=29|Match basketball=39|Beach volleyball=32|Gym ball=27|Tennis balls=12"},
		{"shoes", "Running shoes", "Light, springy and true to size.", "Trail running shoes=129|Road running shoes=119|Racing flats=139|Walking trainers=99|Court shoes=89"},
		{"bicycle", "Bicycle", "For every day and any weather.", "City helmet=79|Handlebar bag=49|Bicycle bell=15|Pannier pair=119|Floor pump=45"},
	}},
	{"kids", "Kids", "Made for small hands and big ideas.", []productRange{
		{"cars", "Wooden cars", "Beech, water-based paint, no batteries.", "Little racer=19|Delivery van=25|Tipper truck=32|Fire engine=35|Push-along bus=29"},
		{"blocks", "Blocks", "The toy that is never finished.", "Rainbow blocks=39|Castle blocks=49|Stacking tower=22|Counting blocks=27|Marble run=59"},
		{"plush", "Soft toys", "Washable, huggable, unlosable.", "Otto the bear=29|Hazel the rabbit=27|Finn the fox=27|Bruno the badger=29|Pip the mouse=19"},
		{"kites", "Kites", "Flies in the first breath of wind.", "Rainbow kite=25|Dragon kite=39|Stunt kite=49|Pocket kite=18|Swallow kite=32"},
		{"puzzles", "Puzzles", "Thick pieces that fit with a click.", "World map puzzle=24|Forest puzzle=18|Alphabet puzzle=22|Solar system puzzle=26|Farm puzzle=16"},
	}},
	{"paper", "Paper & books", "For everything worth writing down.", []productRange{
		{"notebooks", "Notebooks", "Paper that likes ink.", "Linen notebook=19|Pocket notebook=9|Dotted journal=22|Sketchbook=25|Travel journal=29"},
		{"pens", "Pens", "Writes first time, every time.", "Brass fountain pen=59|Rollerball=24|Cedar pencils=12|Drawing pens=18|Calligraphy set=35"},
		{"novels", "Books", "Chosen by people who read them.", "The Quiet Orchard=14|A Field Guide to Clouds=22|Letters from the Lighthouse=16|Bread and Salt=27|Night Trains=13"},
		{"prints", "Art prints", "Printed with pigment on cotton paper.", "Harbour at dawn print=45|Botanical print=35|Mountain line print=39|Abstract shapes print=42|Bird chart print=29"},
		{"calendars", "Calendars", "A year you will want to look at.", "Wall calendar=24|Desk calendar=16|Family planner=19|Lunar calendar=18|Perpetual calendar=39"},
	}},
}

// productRange is one subcategory with its products as "name=price|name=price".
type productRange struct{ id, name, blurb, products string }
