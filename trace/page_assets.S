/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the page that are the same for every trace, with a 0 behind each. */
	.section .rodata
	.global page_head, page_head_end, page_script, page_script_end
page_head:
	.incbin "page_head.html"
page_head_end:
	.byte 0
page_script:
	.incbin "page.js"
page_script_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
