# SPDX-License-Identifier: MIT
#
# make            build the module (for Debian's kernel), the library, the tests
# make demo       see it work, in a virtual machine
# make check      the tests; check-quick and check-all do less and more
# make help       all the rest
#
# Every target that needs Debian packages installs those that are missing; say
# DEPS=: to leave that out.

SHELL	:= /bin/bash
O	:= build
DEPS	?= selftests/deps
DESTDIR	?=
prefix	?= /usr/local
JOBS	:= $(shell nproc)

# Which kernel to build the module for: stock, 6.12, kasan or kcsan; or any
# other tree by KDIR=. Never the running one by default: the tests run in a VM.
ifdef KDIR
KERNEL	?= host
else
KERNEL	?= stock
endif
VM	:= selftests/vm

ifneq ($(V),1)
Q	:= @
endif

all: module lib selftests

help:
	@sed -n '/^# make/,/^#$$/s/^# //p' Makefile
	@echo "make module KERNEL=stock|6.12|kasan|kcsan, or KDIR=TREE: the module for another kernel"
	@echo "make deps | soak | bench | lint | docs | install [DESTDIR=, prefix=] | clean"

deps:
	$(Q)$(DEPS) build vm

deps-%:
	$(Q)$(DEPS) $(subst +, ,$*)

# One build per kernel at a time; two terminals may well ask for the same.
# $(1): where, $(2): more words for kbuild
define kbuild
	mkdir -p $(1); exec 9>$(1).lock; flock 9; \
	kdir="$(KDIR)"; [ -n "$$kdir" ] || kdir=$$($(VM)/kernel kdir $(KERNEL)) || exit; \
	[ -e "$$kdir/Makefile" ] || { echo "no kernel tree in $$kdir (headers missing?)" >&2; exit 1; }; \
	cp -pRu kmod uapi Kbuild $(1)/; \
	(cd $(1) && find kmod uapi -name '*.[ch]') | while read -r f; do \
		[ -e "$$f" ] || rm -f "$(1)/$$f"; done; \
	set -o pipefail; \
	$(MAKE) -s -C "$$kdir" M=$(abspath $(1)) W=1 $(2) modules 2>&1 | \
		grep -v -e 'Skipping BTF generation' -e '^make.*directory' | tee $(1).log; \
	st=$${PIPESTATUS[0]}; [ $$st = 0 ] || { rm -f $(1)/aring.ko; exit $$st; }; \
	echo "$$kdir" >$(1)/kdir
endef

# STRICT=1: a warning is an error, modpost's as well.
define strict
	if [ -n "$(STRICT)" ] && grep -iE 'warning:|^WARNING' $(1).log | grep -v 'compiler differs'; then \
		echo "$(1): there were warnings" >&2; rm -f $(1)/aring.ko; exit 1; fi
endef

module: deps-build
	$(Q)$(call kbuild,$(O)/$(KERNEL)); $(call strict,$(O)/$(KERNEL))

lib: deps-build
	$(Q)$(MAKE) --no-print-directory -s -C lib O=$(abspath $(O))

selftests: lib deps-build+vm
	$(Q)$(MAKE) --no-print-directory -s -C selftests O=$(abspath $(O))

demo: deps-build+vm
	$(Q)$(MAKE) --no-print-directory -s module lib DEPS=:
	$(Q)selftests/demo

check-quick: deps-build+vm
	$(Q)selftests/check stock

check: deps-build+vm
	$(Q)selftests/check stock kasan

check-all: deps-build+vm+6.12
	$(Q)selftests/check stock kasan kcsan 6.12

soak: deps-build+vm
	$(Q)ARING_TEST_FULL=1 selftests/check stock kasan kcsan

bench: deps-build+vm
	$(Q)$(MAKE) --no-print-directory -s module lib selftests DEPS=:
	$(Q)selftests/bench/run

# ---- lint ------------------------------------------------------------------

C_KERNEL := $(wildcard kmod/*.[ch] kmod/tests/*.[ch] uapi/linux/*.h)
C_USER	 := $(wildcard lib/*.[ch] lib/*/*.[ch] lib/*/*/*.[ch] selftests/*.[ch] selftests/*/*.[ch])
DOC_C	 := $(wildcard kmod/*.[ch] uapi/linux/*.h)

# What checkpatch is not asked about. In the kernel: compat.h's versions, BIT(),
# which a uapi header does not have, and the macros of state.h. In userspace: what the kernel has helpers
# for and C has not, and macros that define tests. cppcheck sees no kernel
# headers, so it cannot tell what the kernel's list macros set.
CHECKPATCH := --strict --no-tree --terse --show-types --no-summary --max-line-length=100 --ignore FILE_PATH_CHANGES
CHECKPATCH_KERNEL ?= LINUX_VERSION_CODE,CONSTANT_COMPARISON,BIT_MACRO,MACRO_ARG_REUSE,CAMELCASE
CHECKPATCH_USER ?= PREFER_KERNEL_TYPES,SPLIT_STRING,PREFER_DEFINED_ATTRIBUTE_MACRO,ENOSYS,AVOID_BUG,NEW_TYPEDEFS,ARRAY_SIZE,CAMELCASE,AVOID_EXTERNS,MACRO_ARG_REUSE,MACRO_WITH_FLOW_CONTROL,MULTISTATEMENT_MACRO_USE_DO_WHILE,VOLATILE,REPEATED_WORD,SINGLE_STATEMENT_DO_WHILE_MACRO

lint: deps-build+vm+lint
	@st=0; src=$$($(VM)/kernel source stock) || exit 1; \
	echo "lint: checkpatch"; \
	$$src/scripts/checkpatch.pl $(CHECKPATCH),$(CHECKPATCH_KERNEL) -f $(C_KERNEL) || st=1; \
	$$src/scripts/checkpatch.pl $(CHECKPATCH),$(CHECKPATCH_USER) -f $(C_USER) || st=1; \
	echo "lint: kernel-doc"; \
	$$src/scripts/kernel-doc -none -Werror $(DOC_C) || st=1; \
	echo "lint: W=1 and sparse"; \
	rm -rf $(O)/lint; \
	$(MAKE) --no-print-directory -s lint-build STRICT=1 DEPS=: || st=1; \
	echo "lint: cppcheck"; \
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingInclude --suppress=unknownMacro --suppress=normalCheckLevelMaxBranches \
		--suppress=arithOperationsOnVoidPointer --suppress='uninitvar:kmod/*' \
		--std=c11 -D__x86_64__ -D_GNU_SOURCE -Iuapi -Ilib/include \
		$(filter %.c,$(C_USER)) $(filter %.c,$(C_KERNEL)) || st=1; \
	[ $$st = 0 ] && echo "lint: clean"; exit $$st

lint-build:
	$(Q)$(call kbuild,$(O)/lint,C=2 CF="-D__CHECK_ENDIAN__"); $(call strict,$(O)/lint)

# ---- documentation, installation -------------------------------------------

docs: deps-docs
	$(Q)command -v sphinx-build >/dev/null || \
		{ echo "docs: sphinx-build is missing; install the package python3-sphinx" >&2; exit 1; }
	$(Q)sphinx-build -q -W -b html Documentation $(O)/docs/html
	$(Q)sphinx-build -q -W -b man Documentation $(O)/docs/man
	@echo "docs: $(O)/docs/html/index.html, $(O)/docs/man"

install: module lib docs
	$(Q)rel=$$(PATH=$$PATH:/usr/sbin:/sbin modinfo -F vermagic $(O)/$(KERNEL)/aring.ko) && rel=$${rel%% *} && \
	install -D -m 644 $(O)/$(KERNEL)/aring.ko "$(DESTDIR)/lib/modules/$$rel/updates/aring.ko" && \
	{ [ -n "$(DESTDIR)" ] || depmod "$$rel"; }
	$(Q)$(MAKE) --no-print-directory -s -C lib install O=$(abspath $(O)) DESTDIR="$(DESTDIR)" prefix=$(prefix)
	$(Q)for page in $(O)/docs/man/*.[1-9]; do [ ! -e "$$page" ] || \
		install -D -m 644 "$$page" "$(DESTDIR)$(prefix)/share/man/man$${page##*.}/$${page##*/}"; done

clean:
	rm -rf $(O)

.PHONY: all help deps module lib selftests demo check check-quick check-all soak bench lint \
	lint-build docs install clean
