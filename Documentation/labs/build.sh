#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh: build the programs of the labs into build/labs/. Run "make" before.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/labs
for lab in overflow cancel worker; do
	cc -O2 -Wall -Wextra -Iuapi -Ilib/include -o build/labs/$lab \
		Documentation/labs/$lab.c build/lib/libaring.a -luring
done
