/* How charts look: on paper, on a light and on a dark screen. */
#include "plot/plot.h"

#define LIGHT                                                                                               \
	"--paper:#fff;--ink:#1b1f24;--muted:#59636e;--grid:#e4e7eb;--c1:#0072b2;--c2:#d55e00;--c3:#00856a;" \
	"--c4:#b0568c;--c5:#b77900;--c6:#3a9bd9;--c7:#6b5b95;--on:#fff"
#define DARK                                                                                                   \
	"--paper:#14181d;--ink:#e8ebef;--muted:#9aa5b1;--grid:#2b323b;--c1:#4aa8e8;--c2:#ff8a3d;--c3:#2fc9a2;" \
	"--c4:#e28dc0;--c5:#f0bb4a;--c6:#8ccdf5;--c7:#b3a4dd;--on:#14181d"
#define COLOUR(n)                                                                             \
	".plot .s" #n "{stroke:var(--c" #n ")}.plot .f" #n "{fill:var(--c" #n ")}.plot .t" #n \
	"{fill:var(--c" #n ")}\n"

const char *rs_plot_style(void)
{
	return ":root{color-scheme:light dark;" LIGHT "}\n"
	       "@media (prefers-color-scheme:dark){:root{" DARK "}}\n"
	       "@media print{:root{color-scheme:light;" LIGHT "}}\n"
	       ".plot{display:block;width:100%;height:auto}\n"
	       ".plot text{font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,"
	       "\"Liberation Sans\",sans-serif;fill:var(--ink);font-variant-numeric:tabular-nums}\n"
	       ".plot .mid{text-anchor:middle}.plot .end{text-anchor:end}.plot .label{font-weight:600}\n"
	       ".plot .big{font-size:20px;font-weight:600}.plot .on{fill:var(--on)}\n"
	       ".plot .grid{stroke:var(--grid);fill:none}.plot .axis{stroke:var(--ink);fill:none}\n"
	       ".plot .line{fill:none;stroke-width:2;stroke-linejoin:round}.plot .dashed{stroke-dasharray:6 4}\n"
	       ".plot .line.s0{stroke-width:1.2}\n"
	       ".plot .whisker{fill:none;stroke-width:1.5}.plot .ring{fill:var(--paper);stroke-width:2}\n"
	       ".plot .point{stroke:var(--paper);stroke-width:1}.plot .band{fill-opacity:.18}\n"
	       ".plot .bars{fill-opacity:.85}.plot .box{fill:var(--paper);fill-opacity:.88}\n"
	       ".plot .s0{stroke:var(--muted)}.plot .f0{fill:var(--muted)}.plot .t0{fill:var(--muted)}\n"
	       ".plot .bars.f0{fill-opacity:.35}\n" COLOUR(1) COLOUR(2) COLOUR(3) COLOUR(4) COLOUR(5) COLOUR(6) COLOUR(
		       7) ".plot .h0{fill:#2166c4}.plot .h1{fill:#4a7fd0}.plot .h2{fill:#7a9bd8}.plot .h3{fill:#a5b4d8}\n"
			  ".plot .h4{fill:#bcb6bf}.plot .h5{fill:#d8b093}.plot .h6{fill:#e29a5f}.plot .h7{fill:#e07f31}\n"
			  ".plot .h8{fill:#d55e00}.plot .h9{fill:var(--muted);fill-opacity:.5}\n"
			  ".plot .q0,.plot .q1,.plot .q2,.plot .q3,.plot .q4,.plot .q5,.plot .q6,.plot .q7,.plot .q8{"
			  "fill:var(--c1)}\n"
			  ".plot .q0{fill-opacity:.06}.plot .q1{fill-opacity:.12}.plot .q2{fill-opacity:.2}"
			  ".plot .q3{fill-opacity:.28}\n.plot .q4{fill-opacity:.36}.plot .q5{fill-opacity:.76}"
			  ".plot .q6{fill-opacity:.84}.plot .q7{fill-opacity:.92}\n";
}
