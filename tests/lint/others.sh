#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shell scripts parse, manual pages are well-formed, Python compiles.
cd "$(dirname "$0")/../.." || exit 1
bad=0

for file in $(python3 tests/lint/house.py --files); do
	[ -f "$file" ] || continue
	read -r first <"$file" 2>/dev/null || continue
	case $first in
	'#!'*bash*) bash -n "$file" || bad=1 ;;
	'#!/bin/sh'* | '#!/early/busybox sh'*) sh -n "$file" || bad=1 ;;
	esac
	case $file in
	*.py) python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' \
		"$file" || bad=1 ;;
	esac
done

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning docs/slipway.8 docs/slipway-answers.5 || bad=1
else
	echo "lint: mandoc is not installed, the manual pages were not checked"
fi
[ $bad = 0 ] && echo "lint: scripts and manual pages are fine"
exit $bad
