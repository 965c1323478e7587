# How one source becomes one object. folder.mk and finish.mk share this.

-include $(kh_kdir)/include/config/auto.conf

# More warnings: W=1 those worth fixing, W=2 those worth a look, W=e none may stay.
kh_warnings_1 := -Wextra -Wunused -Wno-unused-parameter -Wmissing-declarations -Wmissing-prototypes \
	-Wold-style-definition -Wmissing-include-dirs -Wunused-but-set-variable -Wunused-const-variable \
	-Wno-missing-field-initializers -Wno-sign-compare -Wno-type-limits
kh_warnings_2 := -Wdisabled-optimization -Wshadow -Wmissing-field-initializers -Wtype-limits
kh_warnings_3 := -Wbad-function-cast -Wcast-align -Wcast-qual -Wconversion -Wpacked -Wpadded \
	-Wpointer-arith -Wredundant-decls -Wsign-compare -Wswitch-default
ifeq ($(origin W),command line)
  KBUILD_EXTRA_WARN := $(W)
endif
KBUILD_CFLAGS += $(foreach n,1 2 3,$(if $(findstring $(n),$(KBUILD_EXTRA_WARN)),$(kh_warnings_$(n))))
KBUILD_CFLAGS += $(if $(findstring e,$(KBUILD_EXTRA_WARN)),-Werror)

# No path of this machine goes into a module: __FILE__ is what lies below M, or below the headers.
KBUILD_CFLAGS += -fmacro-prefix-map=$(KBUILD_EXTMOD)/= -fmacro-prefix-map=$(kh_headers)/=

# ld.lld -r keeps debugging information whatever it is told: KH_STRIP=1 does not make any.
ifneq ($(filter-out 0 n,$(KH_STRIP)),)
  KBUILD_CFLAGS := $(filter-out -g -gdwarf-%,$(KBUILD_CFLAGS))
endif

KBUILD_CPPFLAGS += $(KCPPFLAGS)
KBUILD_CFLAGS += $(KCFLAGS)
KBUILD_AFLAGS += $(KAFLAGS)

kh_deps = -MMD -MP -MF $(kh_depfile) -MT $@
kh_identifier = $(subst $(comma),_,$(subst -,_,$(1)))
kh_text = '"$(call kh_identifier,$(1))"'
kh_names = -DKBUILD_BASENAME=$(call kh_text,$(basename $(notdir $<))) \
	-DKBUILD_MODNAME=$(call kh_text,$(kh_modname)) -D__KBUILD_MODNAME=$(kh_modname_prefix)$(call kh_identifier,$(kh_modname)) \
	-DKBUILD_MODFILE='"$(kh_modfile)"'
