# Refuses paths that make would take apart. Halfway through a build it would
# show up as files that are not found, or as the wrong ones.

kh_empty :=
kh_space := $(kh_empty) $(kh_empty)
kh_open := (
kh_close := )
kh_hash := \#
kh_bad_characters := : ; | & = % * ? [ ] < > { } ! " ' ` \ $(kh_hash) $(kh_open) $(kh_close)

# $1 variable, $2 its value
define kh_refuse_path
$(if $(word 2,$(2)),$(error $(1) is "$(2)": make cannot work in a folder with a space in its path; move it, or link to it from elsewhere))
$(foreach c,$(kh_bad_characters),$(if $(findstring $(c),$(2)),$(error $(1) is "$(2)": make cannot work in a folder with $(c) in its path; move it, or link to it from elsewhere)))
endef

$(call kh_refuse_path,M,$(kh_module))
$(call kh_refuse_path,KH_OUT,$(kh_out))

ifeq ($(wildcard $(kh_module)/Kbuild $(kh_module)/Makefile),)
  $(error M is "$(kh_module)": there is neither a Kbuild nor a Makefile in it)
endif
