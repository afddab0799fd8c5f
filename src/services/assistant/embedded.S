/* Texts of the assistant as parts of the program; see services/assistant/embedded.h. */
    .section .rodata
    .macro embed name, file
    .global ink_assistant_\name\()_begin
    .global ink_assistant_\name\()_end
ink_assistant_\name\()_begin:
    .incbin "\file"
ink_assistant_\name\()_end:
    .endm
    embed cmn, "services/assistant/phrases/cmn.txt"
    embed yue, "services/assistant/phrases/yue.txt"
    embed eng, "services/assistant/phrases/eng.txt"
    embed traditional, "services/assistant/phrases/traditional.txt"
    embed catalogue, "assistant/catalogue.json"
    embed characters, "assistant/grammar/simplified.txt"
    .section .note.GNU-stack,"",%progbits
