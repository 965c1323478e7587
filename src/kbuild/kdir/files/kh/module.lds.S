/*
 * How a module's sections are laid out, for ld -r. Run through the
 * preprocessor once for a kernel: what its headers have of it is taken.
 */

#if __has_include(<asm-generic/codetag.lds.h>)
#include <asm-generic/codetag.lds.h>
#endif

#if !defined(CODETAG_SECTIONS)
#define CODETAG_SECTIONS()
#endif

SECTIONS {
	/DISCARD/ : {
		*(.discard)
		*(.discard.*)
		*(.export_symbol)
		*(.no_trim_symbol)
#if !defined(CONFIG_UNWIND_TABLES)
		*(.eh_frame)
#endif
	}

	/* The loader looks names up by bisection. */
	__ksymtab 0 : ALIGN(8) { *(SORT(___ksymtab+*)) }
	__ksymtab_gpl 0 : ALIGN(8) { *(SORT(___ksymtab_gpl+*)) }
	__kcrctab 0 : ALIGN(4) { *(SORT(___kcrctab+*)) }
	__kcrctab_gpl 0 : ALIGN(4) { *(SORT(___kcrctab_gpl+*)) }
	__kflagstab 0 : { *(SORT(___kflagstab+*)) }

	.ctors 0 : ALIGN(8) { *(SORT(.ctors.*)) *(.ctors) }
	.init_array 0 : ALIGN(8) { *(SORT(.init_array.*)) *(.init_array) }

	.altinstructions 0 : ALIGN(8) { KEEP(*(.altinstructions)) }
	__bug_table 0 : ALIGN(8) { KEEP(*(__bug_table)) }
	__jump_table 0 : ALIGN(8) { KEEP(*(__jump_table)) }
	__ex_table 0 : ALIGN(4) { KEEP(*(__ex_table)) }

	/* One list for the loader, whatever section each function is in. */
	__patchable_function_entries : { *(__patchable_function_entries) }

#if defined(CONFIG_ARCH_USES_CFI_TRAPS)
	__kcfi_traps : { KEEP(*(.kcfi_traps)) }
#endif

#if defined(MOD_SEPARATE_CODETAG_SECTIONS)
	MOD_SEPARATE_CODETAG_SECTIONS()
#elif defined(CONFIG_MEM_ALLOC_PROFILING)
	.data : { *(.data .data.[0-9a-zA-Z_]*) CODETAG_SECTIONS() }
#endif
}

/* From 5.10 on an archive has its processor's own part. */
#if __has_include(<asm/module.lds.h>)
#include <asm/module.lds.h>
#elif defined(CONFIG_ARM64)
SECTIONS {
	.plt 0 : { BYTE(0) }
	.init.plt 0 : { BYTE(0) }
	.text.ftrace_trampoline 0 : { BYTE(0) }
}
#endif
