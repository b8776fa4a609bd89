import type { components } from "./schema";

type Schemas = components["schemas"];

/** One page of a list; next_cursor is absent at the end. */
export interface Page<T> {
  items: T[];
  next_cursor?: string;
}

export type Problem = Schemas["Problem"];
export type ProblemError = Schemas["ProblemError"];
export type Session = Schemas["Session"];
export type Overview = Schemas["Overview"];
export type OverviewDay = Schemas["OverviewDay"];
export type Loop = Schemas["Loop"];
export type Event = Schemas["Event"];
export type RecentEvent = Schemas["RecentEvent"];
export type Profile = Schemas["Profile"];
export type Match = Schemas["Match"];
export type MatchRun = Schemas["MatchRun"];
export type MatchSettings = Schemas["MatchSettings"];
export type Identifier = Schemas["Identifier"];
export type Merge = Schemas["Merge"];
export type Override = Schemas["Override"];
export type Transition = Schemas["Transition"];
export type Unmerged = Schemas["Unmerged"];
export type Evidence = Schemas["Evidence"];
export type Clause = Schemas["Clause"];
export type ReasonPart = Schemas["ReasonPart"];
export type Reason = Schemas["Reason"];
export type SegmentInput = Schemas["SegmentInput"];
export type Segment = Schemas["Segment"];
export type SegmentQuery = Schemas["SegmentQuery"];
export type SegmentRun = Schemas["SegmentRun"];
export type QueryTable = Schemas["QueryTable"];
export type QueryPreview = Schemas["QueryPreview"];
export type SegmentPreview = Schemas["SegmentPreview"];
export type SegmentOverlap = Schemas["SegmentOverlap"];
export type SegmentDay = Schemas["SegmentDay"];
export type ConditionNode = Schemas["ConditionNode"];
export type ConditionStep = Schemas["ConditionStep"];
export type ConditionTree = Schemas["ConditionTree"];
export type ConditionWarning = Schemas["ConditionWarning"];
export type TraitPreview = Schemas["TraitPreview"];
export type EventProperties = Schemas["EventProperties"];
export type TraitInput = Schemas["TraitInput"];
export type Trait = Schemas["Trait"];
export type Vocabulary = Schemas["Vocabulary"];
export type TemplateInput = Schemas["TemplateInput"];
export type Template = Schemas["Template"];
export type Warning = Schemas["Warning"];
export type Rendered = Schemas["Rendered"];
export type RenderFor = Schemas["RenderFor"];
export type Version = Schemas["Version"];
export type CampaignInput = Schemas["CampaignInput"];
export type Campaign = Schemas["Campaign"];
export type Progress = Schemas["Progress"];
export type TestSend = Schemas["TestSend"];
export type Report = Schemas["Report"];
export type Message = Schemas["Message"];
export type MailboxItem = Schemas["MailboxItem"];
export type Mail = Schemas["Mail"];
export type Key = Schemas["Key"];
export type NewKey = Schemas["NewKey"];
export type Starter = Schemas["Starter"];
export type Suppression = Schemas["Suppression"];
export type SendingDomain = Schemas["SendingDomain"];
