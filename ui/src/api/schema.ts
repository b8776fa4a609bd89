// The management API's shapes, in the form that openapi-typescript writes, so that its output can take this file's
// place. Times are RFC 3339 strings in UTC.

/** A page of a list; next_cursor is absent at the end. */
interface List<T> {
  items: T[];
  next_cursor?: string;
}

export interface components {
  schemas: {
    Problem: {
      type?: string;
      title?: string;
      status?: number;
      detail?: string;
      code?: string;
      errors?: components["schemas"]["ProblemError"][];
    };
    /** location is like "body.condition"; line and column are 1-based, columns count characters. */
    ProblemError: { message: string; location?: string; line?: number; column?: number };

    Session: {
      key_name: string;
      scopes: string[];
      version: string;
      demo: boolean;
      mail: "sink" | "smtp";
      public_url: string;
    };

    Overview: {
      now: string;
      profiles: number;
      events: number;
      messages: number;
      segments: number;
      days: components["schemas"]["OverviewDay"][];
      loop: components["schemas"]["Loop"];
      recent_events: components["schemas"]["RecentEvent"][];
    };
    /** profiles counts those first seen on that day. Oldest day first, every day present. */
    OverviewDay: {
      date: string;
      events: number;
      profiles: number;
      sent: number;
      opened: number;
      clicked: number;
      revenue: number;
    };
    Loop: {
      events_per_second: number;
      queue_depth: number;
      queue_capacity: number;
      commit_ms: number;
      last_event_at: string | null;
      next_timer_at: string | null;
      timers_overdue_seconds: number;
      messages_queued: number;
      stream: { state: string; problem: string; lag: number | null; behind_seconds: number | null } | null;
      nodes: { name: string; started_at: string; seen_at: string; self: boolean }[];
      building_segments: string[];
      status: "ok" | "degraded";
      problems: string[];
    };
    Event: {
      message_id: string;
      type: "track" | "identify" | "page" | "screen" | "group" | "alias";
      name: string;
      properties: Record<string, unknown>;
      timestamp: string;
      received_at: string;
    };
    RecentEvent: components["schemas"]["Event"] & { profile_id: string; profile_label: string };

    Identifier: { type: string; value: string };
    Membership: { name: string; since: string };
    /** A merge is of an event, of a person's decision (by, note), or of a probable match. */
    Merge: {
      profile_id: string;
      at: string;
      cause?: "event" | "manual" | "match";
      message_id?: string;
      identifiers: components["schemas"]["Identifier"][];
      by?: string;
      note?: string;
    };
    /** What a person said of a customer, which wins over events. The value of a segment's is whether the customer is in it. */
    Override: {
      kind: "segment" | "trait";
      name: string;
      value: unknown;
      since: string;
      until?: string;
      by: string;
      note?: string;
      lifted_at?: string;
      lifted_by?: string;
    };
    /** A customer entering or leaving a segment. */
    Transition: {
      segment: string;
      entered: boolean;
      at: string;
      since?: string;
      cause: "event" | "time" | "merge" | "unmerge" | "definition" | "deletion" | "override" | "sql";
      message_id?: string;
      profile_id: string;
    };
    Unmerged: { profiles: components["schemas"]["Profile"][]; moved: number };

    Witness: { message_id?: string; name?: string; at: string; value?: unknown };
    Evidence: { value?: unknown; events: components["schemas"]["Witness"][]; more?: number };
    Clause: {
      kind: "all" | "any" | "not" | "leaf";
      text: string;
      holds: boolean;
      clauses?: components["schemas"]["Clause"][];
      sentence?: string;
      operator?: string;
      actual?: unknown;
      wanted?: unknown;
      evidence?: components["schemas"]["Evidence"][];
      next_change?: string;
    };
    Explanation: { at: string; holds: boolean; next_change?: string; clause: components["schemas"]["Clause"] };
    /** What a segment or computed trait says of a customer, and why. */
    ReasonPart: {
      kind: "segment" | "trait";
      name: string;
      text: string;
      value: unknown;
      overridden?: { since: string; until?: string; by: string; note?: string };
      explanation?: components["schemas"]["Explanation"];
    };
    Reason: components["schemas"]["ReasonPart"] & { at: string; since?: string; uses: components["schemas"]["ReasonPart"][]; definition?: "then" | "today" };
    Profile: {
      id: string;
      label: string;
      traits: Record<string, unknown>;
      computed: Record<string, unknown>;
      preferences: Record<string, unknown>;
      identifiers: components["schemas"]["Identifier"][];
      segments: components["schemas"]["Membership"][];
      subscribed: boolean;
      created_at: string;
      updated_at: string;
      first_seen_at: string;
      last_seen_at: string;
      merged: components["schemas"]["Merge"][];
      overrides?: components["schemas"]["Override"][];
    };

    MatchEvidence: { field: string; words: string; bits: number };
    /** Two profiles that are probably one customer, the older first; of one that was merged, the profile that both became. */
    Match: {
      id: string;
      status: "pending" | "accepted" | "rejected" | "merged";
      probability: number;
      reason: string;
      evidence: components["schemas"]["MatchEvidence"][];
      profiles: components["schemas"]["Profile"][];
      found_at: string;
      decided_at: string | null;
      decided_by: string;
    };
    MatchLevel: { words: string; m: number; u: number; bits: number };
    MatchField: { label: string; shared: boolean; levels: components["schemas"]["MatchLevel"][] };
    MatchSummary: {
      profiles: number;
      compared: number;
      estimated: number;
      households: number;
      queued: number;
      merged: number;
      cut: number;
      dropped: number;
      fields: components["schemas"]["MatchField"][];
    };
    /** progress is that of the stage, from 0 to 1. */
    MatchRun: {
      status: "never" | "running" | "done" | "failed" | "interrupted";
      stage: string;
      progress: number;
      started_at: string | null;
      finished_at: string | null;
      error?: string;
      pending: number;
      summary: components["schemas"]["MatchSummary"];
    };
    MatchSettings: { review: number; merge: number; automatic: boolean; every_hours: number; fields: Record<string, string> };
    /** warn_below marks the segment as small while it has fewer members; 0 for never. */
    /** It has a condition, or sql, a query that runs on a schedule. */
    SegmentInput: { condition: string; description: string; warn_below?: number; sql?: string; schedule?: string };
    /** How the query of a segment stands; next_run_at is null where it runs on demand, result_at while there is no result. */
    SegmentQuery: {
      columns: string[];
      next_run_at: string | null;
      running: boolean;
      overdue: boolean;
      result_at: string | null;
      rows: number;
      last_run: components["schemas"]["SegmentRun"] | null;
    };
    SegmentRun: {
      status: "running" | "done" | "failed" | "interrupted";
      cause: "schedule" | "change" | "demand";
      by?: string;
      started_at: string;
      finished_at: string | null;
      seconds: number;
      listed: number;
      added: number;
      removed: number;
      changed: number;
      unknown: number;
      twice: number;
      error?: string;
    };
    QueryTable: { name: string; row: string; columns: { name: string; doc: string }[] };
    QueryPreview: {
      columns: string[];
      count: number;
      unknown: number;
      twice: number;
      seconds: number;
      sample: { profile: { id: string; label: string } | null; columns: Record<string, unknown> }[];
    };
    Segment: components["schemas"]["SegmentInput"] & {
      name: string;
      version: number;
      status: "building" | "ready";
      progress: number;
      count: number;
      created_at: string;
      updated_at: string;
      query?: components["schemas"]["SegmentQuery"];
    };
    /** Unless exact, count and total are estimates, and the count lies between low and high with a confidence of 95 %. */
    SegmentPreview: {
      count: number;
      total: number;
      exact: boolean;
      low: number;
      high: number;
      looked: number;
      sample: components["schemas"]["Profile"][];
      warnings: components["schemas"]["ConditionWarning"][];
    };
    /** Where not all members were looked up, shared is an estimate. */
    SegmentOverlap: { count: number; looked: number; items: { name: string; count: number; shared: number }[] };
    /** The day is its beginning in UTC. */
    SegmentDay: { day: string; entered: number; left: number; members: number };

    /** A condition as a form shows it: docs of the operators and functions are in the OpenAPI document. */
    ConditionNode: {
      kind: "all" | "any" | "not" | "trait" | "preference" | "score" | "consent" | "segment" | "property" | "behaviour" | "sequence" | "text";
      nodes?: components["schemas"]["ConditionNode"][];
      name?: string;
      path?: string[];
      function?: string;
      zone?: string;
      operator?: string;
      value?: unknown;
      behaviour?: components["schemas"]["ConditionBehaviour"];
      sequence?: components["schemas"]["ConditionSequence"];
      text?: string;
    };
    ConditionBehaviour: components["schemas"]["ConditionStep"] & {
      within?: string;
      from?: string;
      to?: string;
      reducer: string;
      property?: string;
      path?: string[];
      argument?: string;
    };
    ConditionSequence: {
      steps: components["schemas"]["ConditionStep"][];
      within?: string;
      without?: components["schemas"]["ConditionStep"][];
      during?: string;
      from?: string;
      to?: string;
    };
    ConditionStep: { event: string; where?: components["schemas"]["ConditionNode"][] };
    ConditionWarning: { kind: "trait" | "event" | "segment" | "property"; name: string; message: string; line: number; column: number; suggestion?: string };
    ConditionTree: {
      text: string;
      tree: components["schemas"]["ConditionNode"];
      warnings: components["schemas"]["ConditionWarning"][];
    };

    TraitInput: { expression: string; description: string };
    Trait: components["schemas"]["TraitInput"] & {
      name: string;
      version: number;
      status: string;
      type: "int" | "double" | "string" | "timestamp" | "bool" | "map" | "list" | "duration" | "dyn";
    };
    Starter: { definitions: { kind: "trait" | "segment"; name: string; spec: { description?: string; expression?: string; condition?: string } }[] };

    /** The count is of those who have a value; see SegmentPreview. */
    TraitPreview: Omit<components["schemas"]["SegmentPreview"], "sample"> & {
      type: components["schemas"]["Trait"]["type"];
      items: { profile: { id: string; label: string }; value: unknown }[];
    };

    EventProperties: { event: string; properties: string[] };
    Vocabulary: {
      event_names: string[];
      traits: string[];
      segments: string[];
      functions: { name: string; signature: string; doc: string }[];
    };

    TemplateInput: {
      subject: string;
      preheader: string;
      body: string;
      format: "mjml" | "html";
      text?: string;
    };
    Template: components["schemas"]["TemplateInput"] & {
      name: string;
      version: number;
      warnings: components["schemas"]["Warning"][];
      created_at: string;
      updated_at: string;
    };
    Warning: {
      code: string;
      message: string;
      location: "subject" | "preheader" | "body" | "text";
      line?: number;
      column?: number;
      variable?: string;
    };
    Rendered: {
      subject: string;
      preheader: string;
      html: string;
      text: string;
      warnings: components["schemas"]["Warning"][];
    };
    /** Whom to render for; neither: a made-up sample customer. */
    RenderFor: { profile_id?: string; identifier?: string };
    Version: { version: number; created_at: string; created_by: string };

    CampaignInput: {
      segment: string;
      template: string;
      from: string;
      reply_to?: string;
      utm?: { source?: string; medium?: string; campaign?: string };
      conversion_event?: string;
      conversion_value?: string;
      conversion_window?: string;
    };
    Campaign: components["schemas"]["CampaignInput"] & {
      name: string;
      version: number;
      status: "draft" | "sending" | "sent" | "paused";
      progress: components["schemas"]["Progress"];
      started_at: string | null;
      finished_at: string | null;
      created_at: string;
      updated_at: string;
    };
    Progress: {
      recipients: number;
      queued: number;
      sent: number;
      failed: number;
      skipped: number;
      in_doubt: number;
    };
    TestSend: { message_id: string; to: string };
    /** People, not events; machine opens and clicks are counted apart. */
    Report: {
      campaign: string;
      recipients: number;
      sent: number;
      delivered: number;
      bounced: number;
      opened: number;
      clicked: number;
      unsubscribed: number;
      complained: number;
      converted: number;
      revenue: number;
      machine_opened: number;
      machine_clicked: number;
      failed: number;
      skipped: {
        suppressed: number;
        unsubscribed: number;
        no_address: number;
        duplicate_address: number;
        render_failed: number;
      };
      in_doubt: number;
      links: { url: string; clicks: number }[];
      days: components["schemas"]["ReportDay"][];
    };
    ReportDay: { date: string; opened: number; clicked: number; converted: number; revenue: number };
    Message: {
      id: string;
      campaign: string;
      profile_id: string;
      to: string;
      status: "queued" | "sending" | "sent" | "bounced" | "failed" | "skipped" | "in_doubt";
      reason?: string;
      created_at: string;
      sent_at?: string | null;
      opened_at?: string | null;
      clicked_at?: string | null;
      unsubscribed_at?: string | null;
      revenue?: number;
      subject?: string;
    };

    MailboxItem: {
      id: string;
      from: string;
      to: string;
      subject: string;
      received_at: string;
      message_id: string;
    };
    Mail: components["schemas"]["MailboxItem"] & {
      headers: { name: string; value: string }[];
      html: string;
      text: string;
      dkim: "pass" | "fail" | "none";
    };

    Key: {
      id: string;
      name: string;
      scopes: string[];
      created_at: string;
      last_used_at?: string | null;
    };
    NewKey: components["schemas"]["Key"] & { key: string };
    SourceInput: {
      type?: "kafka";
      description?: string;
      paused?: boolean;
      brokers: string[];
      topic: string;
      group?: string;
      start?: "earliest" | "latest";
      format?: "json" | "avro" | "protobuf";
      registry?: { url: string; username?: string; password_secret?: string; ca?: string };
      schema?: string;
      message?: string;
      tls?: { ca?: string; server_name?: string; certificate?: string; key_secret?: string };
      sasl?: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512"; username: string; password_secret: string };
      historical?: boolean;
      mapping: unknown;
    };
    Source: components["schemas"]["SourceInput"] & {
      name: string;
      version: number;
      created_at: string;
      updated_at: string;
      status: components["schemas"]["SourceStatus"];
      /** Messages in quarantine */
      quarantined: number;
    };
    SourceStatus: {
      state: "paused" | "starting" | "running" | "troubled" | "full";
      since: string | null;
      problem: string;
      read: number;
      accepted: number;
      passed: number;
      rejected: number;
      lost: number;
      last_at: string | null;
      /** null where it is not known, as is behind_seconds */
      lag: number | null;
      behind_seconds: number | null;
      checked_at: string | null;
      partitions: components["schemas"]["SourcePartition"][];
    };
    SourcePartition: { partition: number; position: number; end: number; lag: number; behind_seconds: number | null };
    QuarantinedMessage: {
      id: string;
      source: string;
      reason: string;
      at: string;
      attempts: number;
      topic: string;
      partition: number;
      offset: number;
      timestamp: string;
      key: string;
      headers: Record<string, string>;
      value: string;
      encoding: "text" | "base64";
      size: number;
      clipped: boolean;
    };
    Retried: { taken: number; failed: number; reason: string; next_cursor?: string };
    Tried: { event: Record<string, unknown> | null };
    Secret: { name: string; set_at: string; set_by: string };
    /** verified_at is when the file had been written and read back; problem says why it failed. */
    Backup: {
      name: string;
      status: "running" | "done" | "failed";
      created_at: string;
      progress: number;
      bytes: number;
      verified_at: string | null;
      encrypted: boolean;
      problem?: string;
    };
    Suppression: { email: string; reason: string; created_at?: string };
    SendingDomain: {
      domain: string;
      selector: string;
      dns: { type: string; name: string; value: string }[];
    };

    ProfileList: List<components["schemas"]["Profile"]>;
    EventList: List<components["schemas"]["Event"]>;
    SegmentList: List<components["schemas"]["Segment"]>;
    TraitList: List<components["schemas"]["Trait"]>;
    TemplateList: List<components["schemas"]["Template"]>;
    CampaignList: List<components["schemas"]["Campaign"]>;
    MessageList: List<components["schemas"]["Message"]>;
    MailboxList: List<components["schemas"]["MailboxItem"]>;
    KeyList: List<components["schemas"]["Key"]>;
    SuppressionList: List<components["schemas"]["Suppression"]>;
    SendingDomainList: List<components["schemas"]["SendingDomain"]>;
    VersionList: List<components["schemas"]["Version"]>;
  };
}
