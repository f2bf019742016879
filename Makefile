# respite: one non-recursive Makefile. `make help` lists the targets.
# For the user: CC CXX CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR LIBDIR..., SAN (address,undefined | thread),
# B (build folder), V=1 (show commands), JOBS, FUZZ_SECONDS, PARTS (of check).

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
VERSION    := $(shell sed -n 's/.*RSP_VERSION_STRING "\(.*\)"/\1/p' lib/include/respite/version.h)
SONAME     := librespite.so.0

JOBS      ?= $(shell nproc 2>/dev/null || echo 2)
MAKEFLAGS += --no-builtin-rules -j$(JOBS)
SHELL     := /bin/sh

comma := ,
space := $() $()
B     := build$(if $(SAN),-$(subst $(space),-,$(subst $(comma),-,$(SAN))))
CC    := $(if $(filter default undefined,$(origin CC)),gcc,$(CC))
CXX   := $(if $(filter default undefined,$(origin CXX)),g++,$(CXX))
Q     := $(if $(V),,@)
say    = @printf '  %-4s %s\n' $(1) $@

# Under a sanitizer the lines of a report are wanted, not the variables of a debugger: half the compilation. gcc's
# warnings that guess at values need -O2; the build without sanitizers gives them.
CFLAGS ?= $(if $(SAN),-O1 -g1,-O2 -g)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
# Each asked once, and only when a recipe needs it: on a fresh machine `deps` has run by then.
PKGS       := libisal liblzf libzstd liblz4 zlib libsodium libcrypto libcurl expat
TEST_PKGS  := check libsodium jansson libssl
once        = $(eval $(1) := $$(shell $(2)))$($(1))
PKG_CFLAGS  = $(call once,PKG_CFLAGS,pkg-config --cflags $(PKGS))
PKG_LIBS    = $(call once,PKG_LIBS,pkg-config --libs $(PKGS))
TEST_CFLAGS = $(call once,TEST_CFLAGS,pkg-config --cflags $(TEST_PKGS))
TEST_LIBS   = $(call once,TEST_LIBS,pkg-config --libs $(TEST_PKGS))
MACHINE     = $(call once,MACHINE,$(CC) -dumpmachine)

OPTIMISED := $(filter-out -O0 -Og,$(filter -O%,$(CFLAGS)))
HARD  = -fstack-protector-strong -fstack-clash-protection $(if $(filter x86_64-%,$(MACHINE)),-fcf-protection) \
        $(if $(SAN),,$(if $(OPTIMISED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
SANF := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
GUESSED := $(if $(SAN),$(if $(findstring clang,$(CC)),,-Wno-format-truncation -Wno-format-overflow -Wno-maybe-uninitialized))
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE $(WARN) $(GUESSED) $(HARD) $(SANF) -fPIC -fvisibility=hidden -pthread $(CFLAGS) $(CPPFLAGS)
ALL_LDFLAGS = -pthread -Wl,-z,relro -Wl,-z,now -Wl,--as-needed $(SANF) $(LDFLAGS)

# ---- what there is ----
LIB_SRC  := $(wildcard lib/*/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/obj/%.o)
HEADERS  := $(wildcard lib/include/respite/*.h lib/include/respite/*/*.h)
CLI_OBJ  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard cli/*.c))
PROGRAMS := $(foreach p,rdbtool aoftool backupd,$(if $(wildcard $(p)/main.c),$(p)))
BINS     := $(PROGRAMS:%=$(B)/bin/%)
MAN      := $(wildcard man/*.[1-8])

TEST_SRC := $(wildcard tests/unit/*/test_*.c tests/stage/test_*.c tests/torture/test_*.c tests/attack/test_*.c)
TEST_BIN := $(TEST_SRC:%.c=$(B)/%)
API_SRC  := $(wildcard tests/api/*.c tests/api/*.cc)
API_BIN  := $(addprefix $(B)/,$(basename $(API_SRC)))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY   := $(FUZZ_SRC:%.c=$(B)/%)
FUZZERS  := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)
BENCH    := $(if $(wildcard tests/bench/gen.c),$(B)/bench/gen $(B)/bench/run1 $(B)/bench/repo_gen $(B)/bench/store_put)
FIXTURE  := $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/fixture/*.c))
POWER    := $(if $(wildcard tests/power/shim.c),$(B)/tests/power/shim.so $(patsubst %.c,$(B)/%,$(filter-out %/shim.c,$(wildcard tests/power/*.c))))

PARTS       ?= unit stage torture attack power api fuzz cli live
CHECK_BUILD := $(BINS) $(B)/lib/librespite.so $(B)/lib/librespite.a $(TEST_BIN) $(API_BIN) $(REPLAY) $(if $(SAN),,$(POWER))

# ---- library and programs ----
all: lib $(BINS) ## library and programs, under build/
lib: $(B)/lib/librespite.a $(B)/lib/librespite.so ## the library alone

# `make check` and `make demo` need no second command: the packages come before the first compilation.
FIRST := $(if $(filter check check-long demo,$(MAKECMDGOALS)),deps)

$(B)/obj/lib/%.o: lib/%.c Makefile | $(FIRST)
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib -Ilib/include $(PKG_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/obj/%.o: %.c Makefile | $(FIRST)
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I. -Ilib/include -MMD -MP -c -o $@ $<

# Tests see inside; what is installed has only the public names, so that nothing clashes with a user's own.
$(B)/lib/librespite_internal.a: $(LIB_OBJ)
	$(call say,AR)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
JOIN := 1
$(B)/lib/librespite.a: $(LIB_OBJ) Makefile
	$(call say,AR)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ $(@:.a=.o)
	$(Q)$(if $(JOIN),$(LD) -r -o $(@:.a=.o) $(LIB_OBJ) && objcopy --localize-hidden $(@:.a=.o) \
	    && $(AR) rcs $@ $(@:.a=.o) && rm $(@:.a=.o),$(AR) rcs $@ $(LIB_OBJ))
$(B)/lib/librespite.so: $(LIB_OBJ) lib/librespite.map
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=lib/librespite.map $(ALL_LDFLAGS) \
	    $(if $(SAN),,-Wl$(comma)--no-undefined) -o $(@D)/$(SONAME) $(LIB_OBJ) $(PKG_LIBS)
	$(Q)ln -sf $(SONAME) $@

define program
$(B)/bin/$(1): $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c)) $(CLI_OBJ) $(B)/lib/librespite.a
	$$(call say,LD)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) -pie $$(ALL_LDFLAGS) -o $$@ $$^ $$(PKG_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# ---- test programs ----
# A folder's other .c files are linked to each of its tests. "LDFLAGS: -Wl,--wrap=write" in a comment within
# the first ten lines of a test adds to its link.
test_helpers = $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(2),$(wildcard $(1)*.c)))
test_ldflags = $(shell sed -n '1,10s|.*LDFLAGS: *\(-[^*]*\).*|\1|p' $(1))
# Tests of a program's own folder (tests/unit/cli, tests/unit/rdbtool) see that folder and cli/.
test_program = $(filter-out %/main.o,$(if $(filter cli $(PROGRAMS),$(notdir $(1:/=))),$(CLI_OBJ) \
    $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(notdir $(1:/=))/*.c))))

$(B)/obj/tests/%.o: tests/%.c Makefile | $(FIRST)
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I. -Ilib -Ilib/include -Itests $(PKG_CFLAGS) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<

# What several tests set up: linked where it is asked for.
$(B)/tests/libfixture.a: $(FIXTURE)
	$(call say,AR)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

define test
$(B)/$(1:.c=): $(1:%.c=$(B)/obj/%.o) $(sort $(call test_helpers,$(dir $(1)),$(dir $(1))test_%.c) \
        $(call test_program,$(dir $(1)))) $(B)/tests/libfixture.a $(B)/lib/librespite_internal.a
	$$(call say,LD)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(ALL_LDFLAGS) $$(call test_ldflags,$(1)) -o $$@ $$^ $$(PKG_LIBS) $$(TEST_LIBS)
endef
$(foreach t,$(TEST_SRC),$(eval $(call test,$(t))))

# The shared object as an embedder has it: public headers, -lrespite, nothing else.
$(B)/tests/api/%: tests/api/%.c $(B)/lib/librespite.so Makefile
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Ilib/include -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
	    -L$(B)/lib -lrespite '-Wl,-rpath,$$ORIGIN/../../lib'
$(B)/tests/api/%: tests/api/%.cc $(B)/lib/librespite.so $(HEADERS) Makefile
	$(call say,CXX)
	$(Q)mkdir -p $(@D)
	$(Q)printf '#include <%s>\n' $(HEADERS:lib/include/%=%) > $@.inc
	$(Q)$(CXX) -std=c++11 -Wall -Wextra -Werror $(HARD) $(SANF) -fPIC -pthread $(CFLAGS) $(CPPFLAGS) \
	    -Ilib/include -I$(@D) $(ALL_LDFLAGS) -o $@ $< -L$(B)/lib -lrespite '-Wl,-rpath,$$ORIGIN/../../lib'

# A fuzz target is linked twice: to libFuzzer (SAN=fuzzer-no-link,..., see fuzz) and to a driver that replays files.
define fuzz
$(B)/tests/fuzz/$(1): $(B)/obj/tests/fuzz/$(1).o $(call test_helpers,tests/fuzz/,tests/fuzz/fuzz_%.c) $(B)/lib/librespite_internal.a
	$$(call say,LD)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(PKG_LIBS)
$(B)/fuzz/$(1): $(B)/obj/tests/fuzz/$(1).o $(filter-out %/driver.o,$(call test_helpers,tests/fuzz/,tests/fuzz/fuzz_%.c)) \
        $(B)/lib/librespite_internal.a
	$$(call say,LD)
	$(Q)mkdir -p $$(@D)
	$(Q)$$(CC) -fsanitize=fuzzer $$(ALL_LDFLAGS) -o $$@ $$^ $$(PKG_LIBS)
endef
$(foreach f,$(FUZZ_SRC),$(eval $(call fuzz,$(basename $(notdir $(f))))))

$(B)/bench/gen: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/gen*.c)) $(B)/lib/librespite_internal.a
$(B)/bench/repo_gen: $(B)/obj/tests/bench/repo_gen.o $(B)/lib/librespite_internal.a
$(B)/bench/store_put: $(B)/obj/tests/bench/store_put.o $(B)/lib/librespite_internal.a
$(B)/bench/run1: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/run1*.c))
$(B)/bench/%:
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# Power cuts: a library that logs what a program writes, and what rebuilds the tree that would be left (tests/power).
$(B)/tests/power/shim.so: tests/power/shim.c tests/power/power.h Makefile
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -fsanitize%,$(ALL_CFLAGS)) -shared -o $@ $< -ldl
$(B)/tests/power/objects: $(B)/obj/tests/power/objects.o $(B)/lib/librespite_internal.a
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(B)/tests/power/%: tests/power/%.c tests/power/power.h Makefile
	$(call say,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# ---- tests ----
again = $(MAKE) --no-print-directory

check: deps check-parts ## every test; ends with "N passed, N failed"
check-build: $(CHECK_BUILD) ## what check runs, without running it
check-parts: $(CHECK_BUILD)
	@B=$(B) SAN=$(SAN) tests/run.sh $(PARTS)
check-asan: ## every test but the live ones, under address and undefined
	+@$(again) SAN=address,undefined B=$(B)-asan PARTS='$(filter-out live power,$(PARTS))' check-parts
check-tsan: ## unit, stage and cli tests under the thread sanitizer
	+@$(again) SAN=thread B=$(B)-tsan PARTS='unit stage cli' check-parts
check-long: deps check-parts ## check, then large files and ten minutes of fuzzing a target, with a log
	+@$(again) FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) fuzz
	@B=$(B) SAN=$(SAN) tests/run.sh long
fuzz: ## libFuzzer, FUZZ_SECONDS (10) a target; log in build-fuzz/fuzz.log
	+@$(again) CC=clang SAN=fuzzer-no-link,address,undefined B=$(B)-fuzz fuzzers
	@tests/run-fuzz.sh $(B)-fuzz $(or $(FUZZ_SECONDS),10)
fuzzers: $(FUZZERS)
fuzz-build: ## what fuzz compiles, without running it
	+@$(again) CC=clang SAN=fuzzer-no-link,address,undefined B=$(B)-fuzz fuzzers
lint: all ## floors, headers, symbols, options = man page, formatters and checkers
	@B=$(B) CC=$(CC) PKG_CFLAGS='$(PKG_CFLAGS) $(TEST_CFLAGS)' WARN='$(WARN)' tests/lint/run.sh $(LINTS)
map: ## rewrites lib/librespite.map from the public headers
	@tests/lint/api-names.sh | awk 'BEGIN { print "RESPITE_0 {\n    global:" } { print "        " $$1 ";" } \
	    END { print "    local:\n        *;\n};" }' > lib/librespite.map
format: ## clang-format over everything that lint checks
	@tests/lint/format.sh --fix
bench: all $(BENCH) ## speed beside redis-check-rdb, zstd and age, redis-cli --rdb and --pipe, curl -T, as ratios
	@RDBTOOL=$(abspath $(B))/bin/rdbtool GEN=$(abspath $(B))/bench/gen RUN1=$(abspath $(B))/bench/run1 \
	    tests/bench/bench.sh $(BENCH_ARGS)
	$(if $(wildcard backupd/main.c),@BACKUPD=$(abspath $(B))/bin/backupd GEN=$(abspath $(B))/bench/gen \
	    RUN1=$(abspath $(B))/bench/run1 tests/bench/bench-backup.sh)
	$(if $(wildcard backupd/main.c),@BACKUPD=$(abspath $(B))/bin/backupd REPO_GEN=$(abspath $(B))/bench/repo_gen \
	    RUN1=$(abspath $(B))/bench/run1 tests/bench/bench-list.sh)
	$(if $(wildcard backupd/main.c),@BACKUPD=$(abspath $(B))/bin/backupd RDBTOOL=$(abspath $(B))/bin/rdbtool \
	    GEN=$(abspath $(B))/bench/gen RUN1=$(abspath $(B))/bench/run1 tests/bench/bench-live.sh)
	$(if $(wildcard backupd/main.c),@BACKUPD=$(abspath $(B))/bin/backupd GEN=$(abspath $(B))/bench/gen \
	    RUN1=$(abspath $(B))/bench/run1 tests/bench/bench-cluster.sh)
	@STORE_PUT=$(abspath $(B))/bench/store_put tests/bench/bench-stores.sh
cover: ## line and branch coverage of check, without the live tests
	+@$(again) B=$(B)-cover CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage \
	    PARTS='$(filter-out live,$(PARTS))' check-parts || echo 'cover: tests failed; the figures are of what ran'
	@gcovr --root . --filter 'lib/' --filter 'cli/' $(PROGRAMS:%=--filter '%/') --exclude-unreachable-branches \
	    --html-details $(B)-cover/coverage.html --txt $(B)-cover/coverage.txt $(B)-cover
	@cat $(B)-cover/coverage.txt
deps: ## installs what building, testing and the demo need (Debian)
	@.ci/deps
demo: deps all ## a private redis-server captured live, proven, restored into another one, and what is in it
	@RDBTOOL=$(abspath $(B))/bin/rdbtool BACKUPD=$(abspath $(B))/bin/backupd tests/demo/demo.sh

# ---- install ----
pc = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
    -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' -e 's|@VERSION@|$(VERSION)|' \
    -e 's|@PKGS@|$(PKGS)|' lib/respite.pc.in
put = install -d "$(DESTDIR)$(2)" && install -m $(1) $(3) "$(DESTDIR)$(2)"

install: all ## under PREFIX (and DESTDIR)
	$(Q)$(call put,644,$(LIBDIR),$(B)/lib/$(SONAME) $(B)/lib/librespite.a)
	$(Q)ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/librespite.so'
	$(Q)install -d '$(DESTDIR)$(LIBDIR)/pkgconfig' && $(pc) > '$(DESTDIR)$(LIBDIR)/pkgconfig/respite.pc'
	$(Q)$(call put,644,$(INCLUDEDIR)/respite,$(wildcard lib/include/respite/*.h))
	$(Q)$(call put,644,$(INCLUDEDIR)/respite/sys,$(wildcard lib/include/respite/sys/*.h))
	$(Q)set -e; for m in $(MAN); do $(call put,644,$(MANDIR)/man$${m##*.},$$m); done
	$(Q)set -e; for p in $(PROGRAMS); do $(call put,755,$(BINDIR),$(B)/bin/$$p); \
	    install -d '$(DESTDIR)$(BASHDIR)' '$(DESTDIR)$(ZSHDIR)'; \
	    $(B)/bin/$$p __completion bash > '$(DESTDIR)$(BASHDIR)'/$$p; \
	    $(B)/bin/$$p __completion zsh > '$(DESTDIR)$(ZSHDIR)'/_$$p; done
uninstall: ## removes what install put there
	$(Q)cd '$(DESTDIR)$(LIBDIR)' 2>/dev/null && rm -f $(SONAME) librespite.so librespite.a pkgconfig/respite.pc || :
	$(Q)rm -rf '$(DESTDIR)$(INCLUDEDIR)/respite'
	$(Q)for m in $(notdir $(MAN)); do rm -f '$(DESTDIR)$(MANDIR)'/man$${m##*.}/$$m; done
	$(Q)for p in $(PROGRAMS); do \
	    rm -f '$(DESTDIR)$(BINDIR)'/$$p '$(DESTDIR)$(BASHDIR)'/$$p '$(DESTDIR)$(ZSHDIR)'/_$$p; done

DIST := respite-$(VERSION)
dist: ## build/respite-VERSION.tar.gz
	@mkdir -p $(B)
	@{ git ls-files -co --exclude-standard 2>/dev/null || find . -type f ! -path './build*' ! -path './.git/*' | sed 's|^\./||'; } \
	    | while read -r f; do [ -f "$$f" ] && echo "$$f"; done | LC_ALL=C sort \
	    | tar --create --gzip --file $(B)/$(DIST).tar.gz --owner 0 --group 0 --numeric-owner --no-recursion \
	        --transform 's|^|$(DIST)/|' --files-from -
	@echo $(B)/$(DIST).tar.gz
distcheck: dist ## unpacks dist, builds, tests, installs, links a sample, uninstalls
	@tests/run-distcheck.sh $(abspath $(B)) $(DIST)
clean: ## removes build/ and its neighbours
	rm -rf $(B) $(B)-*
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.DELETE_ON_ERROR:
.PHONY: all lib check check-build check-parts check-asan check-tsan check-long fuzz fuzzers fuzz-build lint map format bench cover deps demo \
    install uninstall dist distcheck clean help
