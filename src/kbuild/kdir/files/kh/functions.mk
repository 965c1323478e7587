# What a module's Makefile may call, and what ours do.

comma := ,
empty :=
space := $(empty) $(empty)
squote := '
quote := "
pound := \#
define newline


endef

# ---- how much is shown --------------------------------------------------

ifeq ($(origin V),command line)
  KBUILD_VERBOSE := $(V)
endif
ifneq ($(findstring 1,$(KBUILD_VERBOSE)),)
  quiet :=
  Q :=
else
  quiet := quiet_
  Q := @
endif
ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
  quiet := silent_
endif
kecho := $(if $(filter silent_,$(quiet)),:,echo)

# ---- running a command only when it must --------------------------------
#
# The command that made x is kept in .x.cmd, and what it read in .x.d. A target
# is made again when one of its prerequisites is newer, or when it would be
# made by another command today. The command is written down only after it has
# worked.

kh_in_quotes = '$(subst ','\'',$(subst $(newline), ,$(1)))'
kh_record = $(dir $@).$(notdir $@).cmd
kh_depfile = $(dir $@).$(notdir $@).d
kh_one_line = $(strip $(subst $(newline), ,$(1)))
kh_command = $(call kh_one_line,$(cmd_$(1)))

# Empty when both are the same.
kh_unlike = $(subst x$(1)x,,x$(2)x)$(subst x$(2)x,,x$(1)x)
kh_newer = $(filter-out FORCE $(PHONY),$?)
kh_stale = $(strip $(kh_newer) $(if $(wildcard $@),,missing)$(call kh_unlike,$(call kh_one_line,$(file <$(kh_record))),$(call kh_command,$(1))))

kh_say = $(if $($(quiet)cmd_$(1)),echo $(call kh_in_quotes,  $($(quiet)cmd_$(1)));)
# A shell of its own, since `a && b` that fails does not end the one with set -e.
kh_run = set -e; $(kh_say) (set -e; $(cmd_$(1))); printf '%s\n' $(call kh_in_quotes,$(call kh_command,$(1))) >$(kh_record)

# For rules like `x: y FORCE` with cmd_NAME and quiet_cmd_NAME defined.
if_changed = $(if $(call kh_stale,$(1)),@$(kh_run),@:)
if_changed_dep = $(if_changed)
if_changed_rule = $(if $(call kh_stale,$(1)),@$(rule_$(1)),@:)
cmd = @set -e; $(kh_say) $(cmd_$(1))

PHONY += FORCE
FORCE:

# ---- asking the compiler ------------------------------------------------

# Each question is asked once, whatever number of times it is expanded.
kh_name = kh_said_$(subst $(comma),_c,$(subst :,_d,$(subst =,_e,$(subst $(space),_s,$(subst _,__,$(strip $(1)))))))
kh_ask = $(if $(filter undefined,$(origin $(kh_name))),$(eval $(kh_name) := $$(shell $(kh_cc) $(kh_cc_target) -Werror $$(1) -c -x c /dev/null -o /dev/null >/dev/null 2>&1 && echo y)))$($(kh_name))
kh_ask_ld = $(if $(filter undefined,$(origin $(kh_name)_ld)),$(eval $(kh_name)_ld := $$(shell $(kh_ld) $(kh_ldflags) $$(1) -v >/dev/null 2>&1 && echo y)))$($(kh_name)_ld)

cc-option = $(if $(kh_ask),$(1),$(2))
cc-option-yn = $(if $(kh_ask),y,n)
cc-disable-warning = $(if $(call kh_ask,-W$(strip $(1))),-Wno-$(strip $(1)))
as-option = $(if $(kh_ask),$(1),$(2))
as-instr = $(if $(filter y,$(shell printf '%b\n' "$(1)" | $(kh_cc) $(kh_cc_target) -c -x assembler-with-cpp - -o /dev/null >/dev/null 2>&1 && echo y)),$(2),$(3))
ld-option = $(if $(kh_ask_ld),$(1),$(2))
cc-ifversion = $(shell [ $(kh_cc_version) $(1) $(2) ] && echo $(3) || echo $(4))
gcc-min-version = $(if $(CONFIG_CC_IS_GCC),$(shell [ $(kh_cc_version) -ge $(1) ] && echo y))
clang-min-version = $(if $(CONFIG_CC_IS_CLANG),$(shell [ $(kh_cc_version) -ge $(1) ] && echo y))
test-ge = $(shell [ $(strip $(1)) -ge $(strip $(2)) ] && echo y)
test-gt = $(shell [ $(strip $(1)) -gt $(strip $(2)) ] && echo y)
test-le = $(shell [ $(strip $(1)) -le $(strip $(2)) ] && echo y)
test-lt = $(shell [ $(strip $(1)) -lt $(strip $(2)) ] && echo y)
