/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts the report's page together: one file without a reference to another. This is its template;
 * the files are next to this one, uPlot's come from npm.
 */
	.section .rodata
	.global report_page_before, report_page_before_size, report_page_after, report_page_after_size

report_page_before:
	.incbin "report.html"
	.ascii "<style>\n"
	.incbin "uPlot.min.css"
	.incbin "report.css"
	.ascii "</style>\n<script type=\"application/json\" id=\"data\">"

report_page_after:
	.ascii "</script>\n<script type=\"text/plain\" id=\"uplot-licence\">\n"
	.incbin "LICENSE"
	.ascii "</script>\n<script>\n"
	.incbin "uPlot.iife.min.js"
	.ascii "</script>\n<script>\n'use strict';\n(function () {\n"
	.incbin "format.js"
	.incbin "data.js"
	.incbin "limits.js"
	.incbin "svg.js"
	.incbin "plot.js"
	.incbin "cards.js"
	.incbin "tables.js"
	.incbin "main.js"
	.ascii "})();\n</script>\n</body>\n</html>\n"
report_page_end:

	.balign 8
report_page_before_size:
	.quad report_page_after - report_page_before
report_page_after_size:
	.quad report_page_end - report_page_after

	.section .note.GNU-stack, "", %progbits
