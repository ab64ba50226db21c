# openid4vci: PostgreSQL as an OpenID4VCI credential issuer.
#
#   make && make install         the extension, openid4vci-proxy and openid4vci-wallet
#   make installcheck            tests against an installed, running server (not as root)
#   make demo                    an offer and its redemption on a private server
#   make check                   every test, on private servers
#   make check-asan              pg_regress under AddressSanitizer and UBSan in every backend
#   make check-valgrind          pg_regress under valgrind in every backend
#   make bench                   measures speed on a private server, and a peer beside it
#   make fuzz                    every fuzz target for FUZZ_SECONDS (600 unless given)
#   make check-versions          the tests with a database on PostgreSQL 17 and 18 (as root)
#   make check-odoo              the addons in Odoo 19, in a Debian of its own (as root)
#
# PG_CONFIG chooses the PostgreSQL, WERROR=1 turns warnings into errors, and
# SANITIZE=address,undefined builds the unit tests (target "unit") under sanitizers.

ifneq (,$(filter check check-asan check-valgrind check-versions check-odoo demo bench,$(MAKECMDGOALS)))

# These install missing packages first, so they must not need pg_config to start.
.PHONY: check check-asan check-valgrind check-versions check-odoo demo bench
check:
	@test/run
check-asan:
	@test/run asan
check-valgrind:
	@test/run memcheck
check-versions:
	@test/versions
check-odoo:
	@test/odoo/run
demo:
	@test/demo
bench:
	@test/bench/run

else

PG_CONFIG  ?= pg_config
PKG_CONFIG ?= pkg-config

PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq (,$(wildcard $(PGXS)))
$(error $(PG_CONFIG) names no PGXS: install the PostgreSQL server headers \
(Debian: postgresql-server-dev-15), or give PG_CONFIG=/path/to/pg_config)
endif

missing := $(foreach lib,json-c libcrypto zlib libqrencode libpng libmicrohttpd libcurl, \
	$(shell $(PKG_CONFIG) --exists $(lib) || echo $(lib)))
ifneq (,$(strip $(missing)))
$(error $(PKG_CONFIG) does not find $(strip $(missing)); on Debian: apt-get install pkgconf \
libjson-c-dev libssl-dev zlib1g-dev libqrencode-dev libpng-dev libmicrohttpd-dev \
libcurl4-openssl-dev libpq-dev)
endif

EXTENSION  = openid4vci
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)
SCRIPT     := build/$(EXTENSION)--$(EXTVERSION).sql
DATA       := $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built := $(SCRIPT)

core_sources := $(sort $(wildcard src/jose/*.c))
rule_sources := $(sort $(wildcard src/protocol/*.c))
glue_sources := $(sort $(wildcard src/pg/*.c))
proxy_objs   := $(patsubst %.c,%.o,$(sort $(wildcard src/proxy/*.c)))
wallet_objs  := $(patsubst %.c,%.o,$(sort $(wildcard src/wallet/*.c)) $(core_sources))

# The module and the wallet link the same core objects; PGXS' own PROGRAM would
# link OBJS, src/pg included, into every program.
MODULE_big = openid4vci
OBJS      := $(patsubst %.c,%.o,$(glue_sources) $(rule_sources) $(core_sources))
programs  := $(strip $(if $(wildcard src/proxy/main.c),build/openid4vci-proxy) \
	$(if $(wildcard src/wallet/main.c),build/openid4vci-wallet))

core_libs   := json-c libcrypto zlib
module_libs := $(core_libs) libqrencode libpng
proxy_libs  := libmicrohttpd libcurl
wallet_libs := $(core_libs) libcurl

# pg_regress looks for an input in sql/ before test/sql/: no test may bear the
# name of a file in sql/ (test/lint checks it). pg_isolation_regress of
# PostgreSQL 15 seeks expected/ under its output directory.
REGRESS        := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS    = --inputdir=test --encoding=UTF8
ISOLATION      := $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS  = --inputdir=test --outputdir=. --encoding=UTF8 --load-extension=$(EXTENSION)
tap_files      := $(sort $(wildcard test/t/*.pl))
ifneq (,$(tap_files))
TAP_TESTS       = 1
PROVE_TESTS    ?= $(tap_files)
endif
export OPENID4VCI_PROXY  ?= $(CURDIR)/build/openid4vci-proxy
export OPENID4VCI_WALLET ?= $(CURDIR)/build/openid4vci-wallet

warnings := -Wall -Wextra -Wno-declaration-after-statement $(if $(WERROR),-Werror)
ifneq (,$(findstring clang,$(CC)))
# Makefile.global carries the options of the compiler that built PostgreSQL.
warnings += -Wno-unknown-warning-option -Wno-ignored-optimization-argument
endif

PG_CFLAGS = -std=c11 $(warnings) -MMD -MP
# -isystem: PostgreSQL's own headers are not clean under -Wextra.
PG_CPPFLAGS = -isystem $(includedir_server) $(shell $(PKG_CONFIG) --cflags $(module_libs)) \
	-DOPENID4VCI_VERSION='"$(EXTVERSION)"'
SHLIB_LINK  = $(shell $(PKG_CONFIG) --libs $(module_libs))
EXTRA_CLEAN = build results output_iso tmp_check tmp_check_iso regression.diffs regression.out \
	$(OBJS:.o=.d) $(proxy_objs) $(proxy_objs:.o=.d) $(wallet_objs) $(wallet_objs:.o=.d)

include $(PGXS)

# TAP tests make clusters by the locale of the environment; the extension wants UTF8.
installcheck: export LANG = C.UTF-8

all: $(programs)

$(SCRIPT): sql/$(EXTENSION).sql $(EXTENSION).control
	@$(MKDIR_P) $(@D)
	cp $< $@

# A changed flag or version rebuilds everything that was compiled under it.
$(OBJS) $(proxy_objs) $(wallet_objs): Makefile $(EXTENSION).control

src/proxy/%.o: override CPPFLAGS += -I$(includedir) $(shell $(PKG_CONFIG) --cflags $(proxy_libs))
src/wallet/%.o: override CPPFLAGS += $(shell $(PKG_CONFIG) --cflags $(wallet_libs))

build/openid4vci-proxy: $(proxy_objs)
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) $(proxy_objs) $(LDFLAGS) $(LDFLAGS_EX) \
		$(shell $(PKG_CONFIG) --libs $(proxy_libs)) -L$(libdir) -lpq -pthread -o $@

build/openid4vci-wallet: $(wallet_objs)
	@$(MKDIR_P) $(@D)
	$(CC) $(CFLAGS) $(wallet_objs) $(LDFLAGS) $(LDFLAGS_EX) \
		$(shell $(PKG_CONFIG) --libs $(wallet_libs)) -o $@

.PHONY: install-programs uninstall-programs
install: install-programs
install-programs: $(programs)
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(if $(programs),$(INSTALL_PROGRAM) $(programs) '$(DESTDIR)$(bindir)/')

uninstall: uninstall-programs
uninstall-programs:
	rm -f $(addprefix '$(DESTDIR)$(bindir)'/,$(notdir $(programs)))

# Unit tests need neither PostgreSQL nor its flags; a sanitizer has its own objects.
comma      := ,
unit_dir   := build/unit$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
unit_tests := $(patsubst test/unit/%.c,$(unit_dir)/%,$(sort $(wildcard test/unit/test_*.c)))
unit_core  := $(patsubst %.c,$(unit_dir)/%.o,$(core_sources) $(rule_sources))
unit_flags := -std=c11 -D_GNU_SOURCE -g -O1 -fno-omit-frame-pointer $(warnings) -MMD -MP \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all) \
	$(shell $(PKG_CONFIG) --cflags $(core_libs))

.PHONY: unit
unit: $(unit_tests)
.SECONDARY: $(unit_core) $(patsubst %,%.o,$(unit_tests))

$(unit_dir)/src/%.o: src/%.c Makefile
	@$(MKDIR_P) $(@D)
	$(CC) $(unit_flags) -c $< -o $@

$(unit_dir)/%.o: test/unit/%.c Makefile
	@$(MKDIR_P) $(@D)
	$(CC) $(unit_flags) -Isrc -c $< -o $@

$(unit_dir)/test_%: $(unit_dir)/test_%.o $(unit_core)
	$(CC) $(unit_flags) $^ $(unit_wraps) $(shell $(PKG_CONFIG) --libs $(core_libs)) -lm -o $@

# What test_malloc_failure.c puts itself before, as our own objects call it.
$(unit_dir)/test_malloc_failure: unit_wraps := $(addprefix -Wl$(comma)--wrap=, \
	malloc calloc realloc json_tokener_new_ex \
	$(addprefix json_object_,new_object new_array new_boolean new_int64 new_string_len object_add \
		array_add array_put_idx deep_copy to_json_string_length))

# Fuzz targets, for clang's libFuzzer, and the corpora that they begin with.
fuzz_tests   := $(patsubst test/unit/%.c,build/fuzz/%,$(sort $(wildcard test/unit/fuzz_*.c)))
fuzz_core    := $(patsubst %.c,build/fuzz/%.o,$(core_sources) $(rule_sources))
fuzz_flags   := $(filter-out -fsanitize=%,$(unit_flags)) -fno-sanitize-recover=all
fuzz_corpora := $(patsubst build/fuzz/fuzz_%,build/fuzz/corpus/%,$(fuzz_tests))

.PHONY: fuzz fuzz-targets
fuzz-targets: $(fuzz_tests) $(fuzz_corpora)
fuzz: fuzz-targets
	@test/fuzz
.SECONDARY: $(fuzz_core)

build/fuzz/src/%.o: src/%.c Makefile
	@$(MKDIR_P) $(@D)
	clang $(fuzz_flags) -fsanitize=fuzzer-no-link,address,undefined -c $< -o $@

build/fuzz/fuzz_%: test/unit/fuzz_%.c $(fuzz_core) Makefile
	@$(MKDIR_P) $(@D)
	clang $(fuzz_flags) -fsanitize=fuzzer,address,undefined -Isrc $< $(fuzz_core) \
		$(shell $(PKG_CONFIG) --libs $(core_libs)) -lm -o $@

corpus_maker := test/unit/make_corpus.c \
                $(addprefix src/jose/,base64url.c json.c json_scan.c json_write.c status.c text.c)
build/fuzz/make_corpus: $(corpus_maker) Makefile
	@$(MKDIR_P) $(@D)
	clang $(filter-out -MMD -MP,$(fuzz_flags)) -Isrc $(corpus_maker) \
		$(shell $(PKG_CONFIG) --libs json-c) -o $@

$(fuzz_corpora): build/fuzz/corpus/%: test/unit/corpus/%.txt build/fuzz/make_corpus \
		$(wildcard test/vectors/*.json)
	@rm -rf $@
	@$(MKDIR_P) $@
	build/fuzz/make_corpus $@ $< $(wildcard test/vectors/*.json)

# The load generator of the benchmark has objects of its own: nothing in them is for a server.
bench_objs := $(patsubst %.c,build/bench/%.o,$(sort $(wildcard test/bench/*.c)) $(core_sources))

.PHONY: load
load: build/bench/load
build/bench/load: $(bench_objs)
	$(CC) -O2 $^ $(shell $(PKG_CONFIG) --libs $(wallet_libs)) -lm -o $@

build/bench/%.o: %.c Makefile
	@$(MKDIR_P) $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -g -O2 $(warnings) -MMD -MP \
		$(shell $(PKG_CONFIG) --cflags $(wallet_libs)) -c $< -o $@

-include $(bench_objs:.o=.d)
-include $(OBJS:.o=.d) $(proxy_objs:.o=.d) $(wallet_objs:.o=.d)
-include $(unit_core:.o=.d) $(addsuffix .d,$(unit_tests)) $(fuzz_core:.o=.d) $(addsuffix .d,$(fuzz_tests))

endif
