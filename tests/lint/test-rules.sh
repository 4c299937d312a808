#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The house rules as tests.
cd "$SLIPWAY_SOURCE" || exit 1
n=0
bad=0

point() {
	n=$((n + 1))
	name=$1
	shift
	if out=$("$@" 2>&1); then
		echo "ok $n - $name"
	else
		bad=1
		echo "not ok $n - $name"
		echo "$out" | sed 's/^/# /'
	fi
}

manual_is_generated() {
	"$SLIPWAY" answers manual | cmp - docs/slipway-answers.5
}

echo 1..3
point "the sources keep the house rules" python3 tests/lint/house.py
point "scripts parse and manual pages are well-formed" sh tests/lint/others.sh
point "slipway-answers(5) in docs is what the field table says" manual_is_generated
exit $bad
