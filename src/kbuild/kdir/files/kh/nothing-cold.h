/*
 * Included right after kconfig.h. The compiler of this kernel aligns functions
 * that are marked as rarely used, such as a module's init function, and this one
 * does not: without the option, headers mark none.
 */
#undef CONFIG_CC_HAS_SANE_FUNCTION_ALIGNMENT
