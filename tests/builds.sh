#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds everything with both compilers, warnings as errors, each in a directory of its own, so that
# only what has changed since the last time is compiled.
cd "$(dirname "$0")/.." || exit 1
# A make that runs this has its own idea of V, CC and jobs.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES V CC
bad=0

echo 1..1
for compiler in gcc clang; do
	make --no-print-directory "V=$compiler" "CC=$compiler" WERROR=1 all tests-bin \
		>"build/$compiler.log" 2>&1 && continue
	bad=1
	echo "# $compiler:"
	grep -E '(error|warning):|\*\*\*' "build/$compiler.log" | head -n 20 | sed 's/^/# /'
done
[ $bad = 0 ] || printf 'not '
echo "ok 1 - gcc and clang both build without a warning"
exit $bad
