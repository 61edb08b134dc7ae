#!/bin/sh
# SPDX-License-Identifier: MIT
exec 2>&1
set -x
ls -l /dev/aring
setpriv --reuid 65534 --clear-groups build/bin/aring info
chmod 666 /dev/aring
setpriv --reuid 65534 --clear-groups build/bin/aring info >/dev/null
echo "exit status $?"

exec 3</dev/aring
rmmod aring
exec 3<&-
rmmod aring
aring info
