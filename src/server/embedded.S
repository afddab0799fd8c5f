/* The page and the description of the API as parts of the program; see server/embedded.h. page_files.inc is
   written by CMake: a line `page_file "path"` for each file of web/dist, which is searched for by -I. */
    .section .rodata
    .global ink_server_openapi_begin
    .global ink_server_openapi_end
ink_server_openapi_begin:
    .incbin "server/openapi.json"
ink_server_openapi_end:

/* One entry of the table: where the path, the content and its end are. */
    .macro page_file path
    .section .rodata
7:  .asciz "\path"
8:  .incbin "\path"
9:  .byte 0
    .section .data.rel.ro, "aw"
    .quad 7b, 8b, 9b
    .endm

    .section .data.rel.ro, "aw"
    .balign 8
    .global ink_server_page_begin
    .global ink_server_page_end
ink_server_page_begin:
#include "page_files.inc"
    .section .data.rel.ro, "aw"
ink_server_page_end:
    .section .note.GNU-stack,"",%progbits
