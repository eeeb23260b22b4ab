/* radseal segment refine: a rough outline drawn to where the image changes. */
#include <stdio.h>

#include "option_lists.h"
#include "segment/segment_grow.h"
#include "segment_out.h"

struct refining {
	struct rs_volume image;
	struct rs_mask outline, strokes, mask;
	struct rs_grow *grow;
	struct segment_out out;
};

static void refining_finish(struct refining *r)
{
	rs_grow_close(r->grow);
	rs_volume_finish(&r->image);
	rs_mask_finish(&r->outline);
	rs_mask_finish(&r->strokes);
	rs_mask_finish(&r->mask);
	segment_out_finish(&r->out);
}

static enum rs_code refine(const struct command_line *line, struct refining *r, struct rs_error *err)
{
	struct rs_grow_options how = RS_GROW_DEFAULT;
	struct rs_box box, changed;
	double band_mm;
	if (option_given(line, "walk"))
		how.method = RS_GROW_WALK;
	RS_TRY(option_number(line, "smooth", how.smooth_mm, &how.smooth_mm, err));
	RS_TRY(option_number(line, "edge", how.edge, &how.edge, err));
	RS_TRY(option_number(line, "round", how.round_mm, &how.round_mm, err));
	RS_TRY(option_number(line, "band", 5, &band_mm, err));
	how.band_mm = band_mm;
	RS_TRY(rs_outline_strokes(&r->outline, band_mm, &r->strokes, &box, err));
	RS_TRY(rs_grow_open(&r->image, &box, &how, &r->grow, err));
	RS_TRY(rs_grow_paint_mask(r->grow, &r->strokes, 1, 2, err));
	RS_TRY(rs_grow_update(r->grow, &changed, err));
	return rs_grow_mask(r->grow, &r->mask, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct refining r RS_CLEANUP(refining_finish) = {0};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	const bool as_json = option_given(line, "json");
	const char *image = segment_operand(line, 0), *outline = segment_operand(line, 1);
	r.out.others = line->operands + 2;
	r.out.other_count = 1;
	RS_TRY(segment_out_open(line, image, "radseal refine", &r.out, err));
	RS_TRY(rs_volume_read(rs_world_system(), image, &r.image, err));
	RS_TRY(segment_read_mask(line, outline, &r.image.geometry, &r.outline, err));
	RS_TRY(refine(line, &r, err));
	RS_TRY(segment_out_write(&r.out, &r.mask, err));
	RS_TRY(segment_out_seal(&r.out, outline, err));
	rs_buffer_init(&text, 65536);
	rs_json_init(&json, &text, true);
	if (as_json)
		rs_json_object_begin(&json);
	segment_out_tell(&r.out, &r.mask, &text, as_json ? &json : NULL);
	if (as_json) {
		rs_json_object_end(&json);
		rs_buffer_append_text(&text, "\n");
	}
	return as_json || !option_given(line, "quiet") ? session_write(NULL, rs_buffer_bytes(&text), err)
	                                               : RS_OK;
}

const struct segment_verb segment_refine = {
	.name = "refine",
	.arguments = "an image and a mask",
	.takes = {"label", "band", "smooth", "edge", "round", "walk", SEGMENT_OUT_TAKES},
	.least = 2,
	.most = 2,
	.run = run,
};
