/* The bytes of the embedded model, between two symbols. .incbin keeps the compiler out of it: no array literal
   of millions of numbers is ever parsed. */
    .section .rodata
    .global ink_pocket_assistant_begin
    .global ink_pocket_assistant_end
    .balign 64
ink_pocket_assistant_begin:
    .incbin "assistant/assistant.gguf"
ink_pocket_assistant_end:
    .section .note.GNU-stack,"",%progbits
