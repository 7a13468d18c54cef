import { data } from "./data/feature";
import { models } from "./serving/feature";
import { tracking } from "./tracking/feature";
import { training } from "./training/feature";

/** The features of a team, by their keys in the configuration. */
export const TEAM_FEATURES = { data, tracking, training, models };
