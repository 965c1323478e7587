/*
 * Included right after kconfig.h. With this option, before Linux 6.5, headers
 * drop each EXPORT_SYMBOL that is not on the list of what the kernel's own
 * modules use: right for the kernel, which is trimmed already, but a module
 * here would lose its own exports, and others could not use it.
 */
#undef CONFIG_TRIM_UNUSED_KSYMS
