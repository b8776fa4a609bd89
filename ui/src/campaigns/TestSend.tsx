import { Button, Group, Modal, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { path, post } from "../api/client";
import { explain } from "../api/problem";
import type { Campaign, TestSend as Sent } from "../api/types";
import { Icon } from "../brand/Icon";
import { said } from "../elements/say";
import { CustomerPicker } from "../profiles/CustomerPicker";
import { useCan, useSession } from "../session/useSession";
import { address } from "./input";

/** Sends one copy to an address of one's own, as any customer would get it. */
export function TestSend({ campaign, dirty }: { campaign: Campaign; dirty: boolean }) {
  const can = useCan("send");
  const { mail } = useSession();
  const [opened, setOpened] = useState(false);
  const [to, setTo] = useState("");
  const [customer, setCustomer] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!address(to)) return setFailure("Write an address, as in me@shop.example.");
    setBusy(true);
    setFailure("");
    try {
      const sent = await post<Sent>(path`/campaigns/${campaign.name}/test`, { to: address(to), profile_id: customer });
      setOpened(false);
      said(`Test sent to ${sent.to}.${mail === "sink" ? " It is in the mailbox." : ""}`);
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <Button variant="default" leftSection={<Icon name="mailbox" size={16} />} disabled={!can} onClick={() => setOpened(true)}>
        Test send
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={<strong>Send a test to yourself</strong>}>
        <form onSubmit={submit} noValidate>
          <div style={{ display: "grid", gap: 14 }}>
            <TextInput label="To" type="email" required placeholder="me@shop.example" value={to} onChange={(e) => setTo(e.currentTarget.value)} error={failure} data-autofocus />
            <CustomerPicker label="As the customer" description="Names and products are those of this customer" placeholder="A made-up customer" value={customer} onChange={setCustomer} />
            {dirty && <p style={{ color: "var(--warn)", margin: 0 }}>The test uses what is saved, without your latest changes.</p>}
          </div>
          <Group justify="flex-end" mt="lg" gap="sm">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Send test
            </Button>
          </Group>
        </form>
      </Modal>
    </>
  );
}
