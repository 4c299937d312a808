/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as text, from the JSON that sw_finding_to_json() makes. 0 or -ENOMEM. */
#pragma once

#include <json-c/json.h>

#include "base/buf.h"

/* What, what it rests on, what it leads to, and what helps; a few lines. */
int sw_report_finding(json_object *finding, struct sw_buf *b);
/* What its repair would write, one line each; nothing when it has none. */
int sw_report_plan(json_object *finding, struct sw_buf *b);
/* All of them with their plans, or that nothing is wrong. */
int sw_report_all(json_object *findings, struct sw_buf *b);
/* The node that was looked at, struct sw_findings.node. */
int sw_report_node(json_object *node, struct sw_buf *b);
