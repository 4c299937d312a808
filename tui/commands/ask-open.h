/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "answers/answers.h"
#include "machine/facts.h"

/*
 * Asks for every answer that is open, until each is one. Without a terminal -EINVAL, exit 3, and
 * they are named.
 */
int sw_ask_open(struct sw_answers *a, const struct sw_facts *facts, struct sw_error *err);
