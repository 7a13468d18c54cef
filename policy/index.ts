import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "./engine/policies";
import { RULES } from "./rules/list";

new PolicyPack("ml-platform", { policies: policiesOf(RULES) });
