# One folder of sources: src= where they are, obj= where objects go. Builds the
# folders below it, its objects, and X.o of each module X; lists those in
# modules.order. The folder's own Makefile is read in the middle.

PHONY := kh_objects
kh_objects:

kh_kdir := $(CURDIR)
include $(kh_kdir)/kh/kernel.mk
include $(kh_kdir)/kh/functions.mk
include $(kh_kdir)/kh/compile.mk

# ---- the folder's Makefile ----------------------------------------------

obj-y :=
obj-m :=
lib-y :=
lib-m :=
subdir-y :=
subdir-m :=
always :=
always-y :=
always-m :=
extra-y :=
extra-m :=
targets :=
hostprogs :=
hostprogs-y :=
userprogs :=
clean-files :=
clean-dirs :=
no-clean-files :=
ccflags-y :=
asflags-y :=
cppflags-y :=
ldflags-y :=
ccflags-m :=
asflags-m :=
ldflags-m :=
subdir-ccflags-y :=
subdir-asflags-y :=
ccflags-remove-y :=
asflags-remove-y :=
EXTRA_CFLAGS :=
EXTRA_AFLAGS :=
EXTRA_CPPFLAGS :=
EXTRA_LDFLAGS :=
CFLAGS_MODULE :=
AFLAGS_MODULE :=
LDFLAGS_MODULE :=

kbuild-dir := $(src)
kbuild-file := $(or $(wildcard $(src)/Kbuild),$(src)/Makefile)
include $(kbuild-file)

# ---- what it asks for ---------------------------------------------------

ifneq ($(strip $(userprogs)),)
  $(error $(kbuild-file): userprogs are not built here: $(userprogs))
endif
ifneq ($(strip $(lib-y) $(lib-m)),)
  $(error $(kbuild-file): lib-y makes no part of a module: list $(lib-y) $(lib-m) in the module's own X-y)
endif

kh_folders := $(patsubst %/,%,$(filter %/,$(obj-y) $(obj-m))) $(patsubst %/,%,$(subdir-y) $(subdir-m))
kh_folders := $(sort $(kh_folders))
kh_modules := $(sort $(filter-out %/,$(obj-m)))
kh_homeless := $(filter-out %/ $(kh_modules),$(obj-y))

ifneq ($(filter-out %.o,$(kh_modules)),)
  $(error $(kbuild-file): obj-m lists $(filter-out %.o,$(kh_modules)): a module X is listed as X.o, a folder as X/)
endif
ifneq ($(kh_homeless),)
  $(warning $(kbuild-file): obj-y lists $(kh_homeless): outside the kernel that is part of no module; modules are listed in obj-m)
endif

# The objects that a module is linked from, in their order; none for one that is compiled from X.c.
kh_parts = $($(1:.o=)-objs) $($(1:.o=)-y) $($(1:.o=)-m)
kh_multi := $(foreach m,$(kh_modules),$(if $(strip $(call kh_parts,$(m))),$(m)))
kh_single := $(filter-out $(kh_multi),$(kh_modules))

define kh_check_module
$(if $(filter $(1),$(call kh_parts,$(1))),$(error $(kbuild-file): $(1) is linked from its parts, one of which is $(1) itself: rename that source))
$(if $(filter-out %.o,$(call kh_parts,$(1))),$(error $(kbuild-file): $(1:.o=) has parts that are no objects: $(filter-out %.o,$(call kh_parts,$(1)))))
endef
$(foreach m,$(kh_multi),$(call kh_check_module,$(m)))

# Objects above this folder stay inside the output folder: ../x.o is made as .up/x.o there.
kh_apart := $(if $(filter-out $(src),$(obj)),y)
kh_place = $(if $(kh_apart),$(subst ../,.up/,$(1)),$(1))
kh_origin = $(if $(kh_apart),$(subst .up/,../,$(1)),$(1))

kh_real := $(sort $(kh_single) $(foreach m,$(kh_multi),$(call kh_parts,$(m))))
kh_extra := $(addprefix $(obj)/,$(sort $(always) $(always-y) $(always-m) $(extra-y) $(extra-m)))
kh_programs := $(sort $(hostprogs) $(hostprogs-y) $(hostprogs-m))

# Which modules an object is part of: itself, when it is one.
$(foreach m,$(kh_multi),$(foreach o,$(sort $(call kh_parts,$(m))),$(eval kh_in_$(o) += $(m:.o=))))
kh_stem = $(call kh_origin,$(basename $(patsubst $(obj)/%,%,$@)))
kh_modname = $(subst $(space),:,$(notdir $(or $(kh_in_$(kh_stem).o),$(kh_stem))))
kh_modfile = $(patsubst $(KBUILD_EXTMOD)/%,%,$(src)/$(kh_stem))

# ---- flags of this folder and of one object -----------------------------

KBUILD_SUBDIR_CCFLAGS := $(KBUILD_SUBDIR_CCFLAGS) $(subdir-ccflags-y)
KBUILD_SUBDIR_ASFLAGS := $(KBUILD_SUBDIR_ASFLAGS) $(subdir-asflags-y)
export KBUILD_SUBDIR_CCFLAGS KBUILD_SUBDIR_ASFLAGS

# An object's own flags are found by its path below the folder, or by its name alone.
kh_own = $($(1)_$(kh_stem).o) $(if $(findstring /,$(kh_stem)),$($(1)_$(notdir $(kh_stem)).o))

# Before 6.10 $(src) and $(obj) were one, and Makefiles use the one for the other.
kh_both = $(if $(kh_apart),$(foreach f,$(1),$(if $(filter -I$(obj)%,$(f)),$(patsubst -I$(obj)%,-I$(src)%,$(f)) )$(f)),$(1))
kh_here = $(if $(kh_apart),-I$(src) -I$(obj))

kh_c_flags = $(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(kh_force_types) $(kh_here) \
	$(call kh_both,$(filter-out $(call kh_own,CFLAGS_REMOVE), \
		$(filter-out $(ccflags-remove-y),$(KBUILD_CPPFLAGS) $(KBUILD_CFLAGS)) \
		$(if $(filter n,$(UBSAN_SANITIZE_$(kh_stem).o) $(UBSAN_SANITIZE)),,$(CC_FLAGS_UBSAN)) \
		$(CFLAGS_MODULE) $(KBUILD_CFLAGS_MODULE) \
		$(EXTRA_CPPFLAGS) $(KBUILD_SUBDIR_CCFLAGS) $(ccflags-y) $(ccflags-m) $(EXTRA_CFLAGS)) \
		$(call kh_own,CFLAGS)) $(kh_names)
kh_a_flags = $(NOSTDINC_FLAGS) $(LINUXINCLUDE) $(kh_here) \
	$(call kh_both,$(filter-out $(call kh_own,AFLAGS_REMOVE), \
		$(filter-out $(asflags-remove-y),$(KBUILD_CPPFLAGS) $(KBUILD_AFLAGS)) \
		$(AFLAGS_MODULE) $(KBUILD_AFLAGS_MODULE) \
		$(EXTRA_CPPFLAGS) $(KBUILD_SUBDIR_ASFLAGS) $(asflags-y) $(asflags-m) $(EXTRA_AFLAGS)) \
		$(call kh_own,AFLAGS)) $(kh_names)

kh_shown = $(patsubst $(kh_objroot)/%,%,$@)

quiet_cmd_cc_o_c = CC [M]  $(kh_shown)
      cmd_cc_o_c = $(kh_cc) $(kh_deps) $(kh_c_flags) -c -o $@ $<
quiet_cmd_cc_i_c = CPP [M] $(kh_shown)
      cmd_cc_i_c = $(kh_cc) $(kh_deps) $(kh_c_flags) -E -o $@ $<
quiet_cmd_cc_s_c = CC [M]  $(kh_shown)
      cmd_cc_s_c = $(kh_cc) $(kh_deps) $(kh_c_flags) -fverbose-asm -S -o $@ $<
quiet_cmd_cc_ll_c = CC [M]  $(kh_shown)
      cmd_cc_ll_c = $(kh_cc) $(kh_deps) $(kh_c_flags) -emit-llvm -S -o $@ $<
quiet_cmd_cc_lst_c = LST [M] $(kh_shown)
      cmd_cc_lst_c = $(kh_cc) $(kh_deps) $(kh_c_flags) -g -c -o $@.o $< && $(OBJDUMP) -d -S -l $@.o >$@ && rm -f $@.o
quiet_cmd_as_o_S = AS [M]  $(kh_shown)
      cmd_as_o_S = $(kh_cc) $(kh_deps) $(kh_a_flags) -c -o $@ $<
quiet_cmd_shipped = SHIPPED $(kh_shown)
      cmd_shipped = cp -f $< $@
quiet_cmd_ld_multi = LD [M]  $(kh_shown)
      cmd_ld_multi = rm -f $@; $(kh_ld) -r $(kh_ldflags) $(ldflags-y) $(ldflags-m) $(EXTRA_LDFLAGS) $(kh_own_ldflags) -o $@ @$(kh_list)
   kh_own_ldflags = $(LDFLAGS_$(notdir $@))
# Too long for a command line: 128 KiB hold about a thousand objects. Stripped when
# read, since make 4.3 at times leaves the newline that ends a file.
kh_list = $(dir $@).$(notdir $@).list
kh_linked = $(filter %.o,$^)

# ---- rules --------------------------------------------------------------

kh_up := .up/ .up/.up/ .up/.up/.up/ .up/.up/.up/.up/
kh_sources := $(src) $(if $(kh_apart),$(obj))

# $1 folder of the objects, $2 folder of the sources
define kh_rules
$(1)/%.o: $(2)/%.c FORCE ; $$(call if_changed,cc_o_c)
$(1)/%.i: $(2)/%.c FORCE ; $$(call if_changed,cc_i_c)
$(1)/%.s: $(2)/%.c FORCE ; $$(call if_changed,cc_s_c)
$(1)/%.ll: $(2)/%.c FORCE ; $$(call if_changed,cc_ll_c)
$(1)/%.lst: $(2)/%.c FORCE ; $$(call if_changed,cc_lst_c)
$(1)/%.o: $(2)/%.S FORCE ; $$(call if_changed,as_o_S)
$(1)/%: $(2)/%_shipped FORCE ; $$(call if_changed,shipped)
endef
$(foreach s,$(kh_sources),$(eval $(call kh_rules,$(obj),$(s))))
ifdef kh_apart
$(foreach u,$(kh_up),$(eval $(call kh_rules,$(obj)/$(u:/=),$(src)/$(patsubst %/,%,$(subst .up/,../,$(u))))))
endif

kh_multi_objects := $(addprefix $(obj)/,$(kh_multi))
kh_objects_of = $(addprefix $(obj)/,$(call kh_place,$(call kh_parts,$(1))))
$(foreach m,$(kh_multi),$(eval $(obj)/$(m): $(call kh_objects_of,$(m)) FORCE))
$(kh_multi_objects):
	$(if $(call kh_unlike,$(strip $(file <$(kh_list))),$(kh_linked))$(call kh_stale,ld_multi),$(file >$(kh_list),$(kh_linked))@$(call kh_run,ld_multi),@:)

# Programs that run on this machine to make sources.
quiet_cmd_hostprog = HOSTCC  $(kh_shown)
      cmd_hostprog = $(HOSTCC) $(KBUILD_HOSTCFLAGS) $(HOSTCFLAGS) $(HOSTCFLAGS_$(notdir $@).o) -I$(src) -o $@ $(filter %.c,$^) $(KBUILD_HOSTLDLIBS) $(HOSTLDLIBS) $(HOSTLDLIBS_$(notdir $@))
kh_host_sources = $(addprefix $(src)/,$(or $(patsubst %.o,%.c,$($(1)-objs)),$(1).c))
$(foreach p,$(kh_programs),$(eval $(obj)/$(p): $(call kh_host_sources,$(p)) FORCE ; $$(call if_changed,hostprog)))

# Makefiles without an object for it call for FORCE all the same.
kh_all := $(addprefix $(obj)/,$(call kh_place,$(kh_real)))

# Folders for objects in folders, in a tree of their own.
kh_wanted := $(obj) $(patsubst %/,%,$(dir $(kh_all) $(kh_multi_objects) $(kh_extra)))
kh_wanted := $(sort $(filter-out $(wildcard $(sort $(kh_wanted))),$(kh_wanted)))
ifneq ($(kh_wanted),)
  ifeq ($(filter kh_clean,$(MAKECMDGOALS)),)
    $(shell mkdir -p $(kh_wanted))
  endif
endif

# A folder below takes part when it is asked for as a whole.
PHONY += $(addprefix kh_in/,$(kh_folders))
$(addprefix kh_in/,$(kh_folders)): kh_in/%:
	+@$(MAKE) -I $(src)/$* -f $(kh_kdir)/kh/folder.mk src=$(src)/$* obj=$(obj)/$* $(filter kh_clean,$(MAKECMDGOALS))

# The modules here and below, in the order in which Makefiles name them.
kh_order = $(addprefix $(obj)/,$(kh_modules)) $(foreach d,$(kh_folders),$(file <$(obj)/$(d)/modules.order))
$(obj)/modules.order: $(addprefix kh_in/,$(kh_folders)) FORCE
	@$(if $(call kh_unlike,$(strip $(file <$@)),$(strip $(kh_order)))$(if $(wildcard $@),,y),$(file >$@,$(strip $(kh_order)))):

kh_objects: $(kh_all) $(kh_multi_objects) $(kh_extra) $(obj)/modules.order
	@:

PHONY += kh_clean
kh_clean: $(addprefix kh_in/,$(kh_folders))
	@rm -rf $(addprefix $(obj)/,modules.order $(filter-out $(no-clean-files),$(clean-files) $(clean-dirs) $(targets) $(kh_programs))) $(kh_extra)

# ---- what the objects were made from last time ---------------------------

-include $(foreach o,$(kh_all),$(dir $(o)).$(notdir $(o)).d)

# Sources that are made on the way stay.
.SECONDARY:
.PHONY: $(PHONY)
.DELETE_ON_ERROR:
