/*
 * Included right after kconfig.h. With these options, headers reach the data of
 * each processor through address spaces that only gcc has. clang takes their names
 * for its own attribute, but loses the segment in inline assembly: it would read
 * and write elsewhere, silently.
 */
#undef CONFIG_CC_HAS_NAMED_AS
#undef CONFIG_USE_X86_SEG_SUPPORT
