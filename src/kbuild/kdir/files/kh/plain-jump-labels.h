/*
 * Included right after kconfig.h. With this option a static key's branch is a
 * real jump, which objtool turns into a NOP; there is no objtool here, and a
 * jump that stays takes a false key for a true one. Without the option the
 * compiler itself emits the NOP, of the same length.
 */
#undef CONFIG_HAVE_JUMP_LABEL_HACK
