# What comes after the objects: modpost over all modules, then each module.

PHONY := kh_modules
kh_modules:

kh_kdir := $(CURDIR)
include $(kh_kdir)/kh/kernel.mk
include $(kh_kdir)/kh/functions.mk
include $(kh_kdir)/kh/compile.mk

kh_list := $(kh_objroot)/modules.order
kh_names_of_modules := $(basename $(file <$(kh_list)))
kh_shown = $(patsubst $(kh_objroot)/%,%,$@)

# KBUILD_EXTRA_SYMBOLS and LDFLAGS_MODULE may be set in the module's Makefile.
src := $(KBUILD_EXTMOD)
obj := $(kh_objroot)
ifneq ($(MAKECMDGOALS),kh_clean)
  kbuild-file := $(or $(wildcard $(src)/Kbuild),$(src)/Makefile)
  include $(kbuild-file)
endif

# ---- modpost ------------------------------------------------------------

kh_symvers := $(kh_objroot)/Module.symvers
kh_stamp := $(kh_objroot)/.modpost
kh_extra_symbols := $(wildcard $(KBUILD_EXTRA_SYMBOLS))
# For whoever checks the modules afterwards: which files of other modules' exports they were built with.
kh_extra_list := $(kh_objroot)/.extra-symbols

quiet_cmd_modpost = MODPOST $(patsubst $(kh_objroot)/%,%,$(kh_symvers))
      cmd_modpost = $(kh_modpost) --kdir $(kh_kdir) --output-symvers $(kh_symvers) \
	$(addprefix --extra-symbols ,$(kh_extra_symbols)) $(addprefix --call-sites ,$(kh_call_sites)) \
	$(if $(KBUILD_MODPOST_WARN),--warn) \
	$(addsuffix .o,$(kh_names_of_modules)) && touch $@

$(kh_stamp): $(addsuffix .o,$(kh_names_of_modules)) $(kh_extra_symbols) \
		$(wildcard $(kh_kdir)/Module.symvers $(kh_kdir)/kh.json) FORCE
	$(file >$(kh_extra_list),$(abspath $(kh_extra_symbols)))$(call if_changed,modpost)

$(addsuffix .o,$(kh_names_of_modules)): ;

# Where modpost lists for ftrace what can be traced, it does so in a copy of the object.
kh_suffix := $(if $(kh_call_sites),.traceable.o,.o)
kh_made := .mod.c $(filter-out .o,$(kh_suffix))

# modpost leaves alone what would stay as it is.
$(foreach s,$(kh_made),$(addsuffix $(s),$(kh_names_of_modules))): $(kh_stamp)
	@:

# ---- modules ------------------------------------------------------------

kh_modname = $(notdir $(patsubst %.mod.o,%,$@))
kh_modfile = $(patsubst $(kh_objroot)/%.mod.o,%,$@)
quiet_cmd_cc_mod = CC [M]  $(kh_shown)
      cmd_cc_mod = $(kh_cc) $(kh_deps) $(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(kh_force_types) \
	$(filter-out $(CC_FLAGS_CFI) $(CC_FLAGS_FTRACE),$(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS)) $(KBUILD_CFLAGS_MODULE) \
	$(kh_names) -c -o $@ $<

$(addsuffix .mod.o,$(kh_names_of_modules)): %.mod.o: %.mod.c FORCE
	$(call if_changed,cc_mod)

quiet_cmd_ld_module = LD [M]  $(kh_shown)
      cmd_ld_module = $(kh_ld) -r $(kh_ldflags) $(KBUILD_LDFLAGS_MODULE) $(LDFLAGS_MODULE) -T $(kh_kdir)/kh/module.lds -o $@ $(filter %.o,$^)

$(addsuffix .ko,$(kh_names_of_modules)): %.ko: %$(kh_suffix) %.mod.o $(kh_kdir)/kh/module.lds FORCE
	$(call if_changed,ld_module)

kh_modules: $(if $(kh_names_of_modules),$(addsuffix .ko,$(kh_names_of_modules)),kh_none)
	@:

PHONY += kh_none
kh_none:
	@echo >&2 'warning: no module is built: obj-m of $(KBUILD_EXTMOD) lists none'

# ---- install, clean -----------------------------------------------------

kh_install_to := $(INSTALL_MOD_PATH)/lib/modules/$(KERNELRELEASE)/$(or $(INSTALL_MOD_DIR),updates)
kh_installed := $(patsubst $(kh_objroot)/%,$(kh_install_to)/%.ko,$(kh_names_of_modules))

quiet_cmd_install = INSTALL $@
      cmd_install = mkdir -p $(dir $@) && cp -f $< $@

$(kh_installed): $(kh_install_to)/%: $(kh_objroot)/% FORCE
	$(call cmd,install)

PHONY += kh_install
kh_install: $(kh_installed)
	@:

# Each thing that was made has its command beside it, in .NAME.cmd: nothing else is removed.
PHONY += kh_clean
kh_clean:
	@[ ! -d $(kh_objroot) ] || find $(kh_objroot) -type f -name '.*.cmd' -exec sh -c 'for record; do \
		name=$${record##*/.}; made=$${record%/*}/$${name%.cmd}; \
		rm -f "$$made" "$${record%.cmd}.list" "$${record%.cmd}.d" "$$record"; \
		case $$made in *.mod.o) rm -f "$${made%.o}.c" "$${made%.mod.o}.traceable.o";; esac; done' sh {} +
	@rm -f $(kh_symvers) $(kh_list) $(kh_extra_list) $(kh_objroot)/compile_commands.json
	@$(if $(filter-out $(KBUILD_EXTMOD),$(kh_objroot)),[ ! -d $(kh_objroot) ] || find $(kh_objroot) -depth -type d -empty -delete,:)

-include $(foreach m,$(kh_names_of_modules),$(dir $(m)).$(notdir $(m)).mod.o.d)

.PHONY: $(PHONY)
.DELETE_ON_ERROR:
