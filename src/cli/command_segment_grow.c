/* radseal segment grow: a region from strokes or a box, at once or stroke by stroke. */
#include <stdio.h>
#include <string.h>

#include "option_lists.h"
#include "segment_out.h"
#include "segment_strokes.h"

#define LINE_MAX_SIZE (1 << 18)
#define TEXT_MAX ((size_t)1 << 20)

struct growing {
	const struct command_line *line;
	struct rs_volume images[RS_GROW_IMAGES_MAX];
	size_t count;
	struct rs_grow *grow;
	struct rs_mask mask;
	struct segment_out out;
	struct rs_buffer text;
	bool has_mask;
};

static void growing_finish(struct growing *g)
{
	rs_grow_close(g->grow);
	for (size_t i = 0; i < RS_GROW_IMAGES_MAX; i++)
		rs_volume_finish(&g->images[i]);
	rs_mask_finish(&g->mask);
	segment_out_finish(&g->out);
	rs_buffer_finish(&g->text);
}

static enum rs_code read_options(const struct command_line *line, struct rs_grow_options *out,
                                 struct rs_error *err)
{
	static const char *const of_one_image[] = {"walk", "edge", "band"};
	*out = (struct rs_grow_options)RS_GROW_DEFAULT;
	if (option_given(line, "walk"))
		out->method = RS_GROW_WALK;
	if (option_given(line, "learn") || line->operand_count > 2)
		out->method = RS_GROW_LEARN;
	for (size_t i = 0; i < RS_COUNT(of_one_image) && out->method == RS_GROW_LEARN; i++)
		if (option_given(line, of_one_image[i]))
			return rs_error_set(err, RS_USAGE, "--%s takes one image, and no --learn",
			                    of_one_image[i]);
	RS_TRY(option_number(line, "smooth", out->smooth_mm, &out->smooth_mm, err));
	RS_TRY(option_number(line, "edge", out->edge, &out->edge, err));
	RS_TRY(option_number(line, "band", out->band_mm, &out->band_mm, err));
	RS_TRY(option_number(line, "round", out->round_mm, &out->round_mm, err));
	return option_number(line, "threshold", out->threshold, &out->threshold, err);
}

static enum rs_code paint_seeds(struct growing *g, struct rs_error *err)
{
	const char *path = option_value(g->line, "seeds");
	struct rs_mask seeds RS_CLEANUP(rs_mask_finish) = {0};
	uint64_t inside, outside;
	if (!path)
		return RS_OK;
	RS_TRY(option_u64(g->line, "inside", 1, UINT32_MAX, &inside, err));
	RS_TRY(option_u64(g->line, "outside", 2, UINT32_MAX, &outside, err));
	if (inside == outside || inside == 0)
		return rs_error_set(err, RS_USAGE, "--inside and --outside are two labels above 0");
	RS_TRY(segment_read_mask(g->line, path, &g->images[0].geometry, &seeds, err));
	if (rs_grow_paint_mask(g->grow, &seeds, (uint32_t)inside, (uint32_t)outside, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return RS_OK;
}

static uint64_t now_ns(void)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	return clock->monotonic_ns(clock);
}

static void json_triple(struct rs_json *json, const char *key, const size_t values[3])
{
	rs_json_key(json, key);
	rs_json_array_begin(json);
	for (int a = 0; a < 3; a++)
		rs_json_u64(json, values[a]);
	rs_json_array_end(json);
}

static void json_changed(struct rs_json *json, const struct rs_box *changed)
{
	rs_json_key(json, "changed");
	if (changed->size[0] == 0) {
		rs_json_null(json);
		return;
	}
	rs_json_object_begin(json);
	json_triple(json, "first", changed->first);
	json_triple(json, "size", changed->size);
	rs_json_object_end(json);
}

/* Updates, writes; one line or object about it into `text`. */
static enum rs_code update(struct growing *g, bool seal, bool as_json, bool indent, struct rs_error *err)
{
	struct rs_box changed;
	struct rs_json json;
	const uint64_t begin = now_ns();
	RS_TRY(rs_grow_update(g->grow, &changed, err));
	const uint64_t updated = now_ns();
	rs_mask_finish(&g->mask);
	g->mask = (struct rs_mask){0};
	RS_TRY(rs_grow_mask(g->grow, &g->mask, err));
	RS_TRY(segment_out_write(&g->out, &g->mask, err));
	const uint64_t written = now_ns();
	g->has_mask = true;
	if (seal)
		RS_TRY(segment_out_seal(&g->out, NULL, err));
	if (!as_json) {
		segment_out_tell(&g->out, &g->mask, &g->text, NULL);
		return RS_OK;
	}
	rs_json_init(&json, &g->text, indent);
	rs_json_object_begin(&json);
	segment_out_tell(&g->out, &g->mask, NULL, &json);
	json_changed(&json, &changed);
	rs_json_key(&json, "ms");
	rs_json_f64(&json, (double)(updated - begin) / 1e6);
	rs_json_key(&json, "write_ms");
	rs_json_f64(&json, (double)(written - updated) / 1e6);
	rs_json_object_end(&json);
	rs_buffer_append_text(&g->text, "\n");
	return RS_OK;
}

static enum rs_code say(struct growing *g, struct rs_error *err)
{
	RS_TRY(rs_buffer_check(&g->text, "an answer", err));
	RS_TRY(session_write(NULL, rs_buffer_bytes(&g->text), err));
	fflush(stdout);
	rs_buffer_clear(&g->text);
	return RS_OK;
}

static enum rs_code answer_error(struct growing *g, const char *sentence, struct rs_error *err)
{
	struct rs_json json;
	rs_json_init(&json, &g->text, false);
	rs_json_object_begin(&json);
	rs_json_key(&json, "error");
	rs_json_text(&json, sentence);
	rs_json_object_end(&json);
	rs_buffer_append_text(&g->text, "\n");
	return say(g, err);
}

/* Each line is answered by one; what is wrong with a line is answered, too, and the region stays. */
static enum rs_code answer_line(struct growing *g, const char *text, struct rs_error *err)
{
	struct rs_error fault;
	enum rs_code code = segment_paint_json(text, &g->images[0].geometry, g->grow, &fault);
	if (code == RS_OK)
		code = update(g, false, true, false, &fault);
	if (code == RS_USAGE || code == RS_REFUSED)
		return answer_error(g, fault.message, err);
	if (code != RS_OK)
		return rs_error_set(err, code, "%s", fault.message);
	return say(g, err);
}

static enum rs_code converse(struct growing *g, struct rs_error *err)
{
	char *line RS_CLEANUP(rs_free_pointer) = rs_allocate(LINE_MAX_SIZE);
	if (!line)
		return rs_error_memory(err, LINE_MAX_SIZE, "a line");
	while (fgets(line, LINE_MAX_SIZE, stdin)) {
		const struct rs_str text = rs_str_trim(rs_str_from(line));
		if (strlen(line) + 1 == LINE_MAX_SIZE)
			return rs_error_set(err, RS_TOO_LARGE, "a line of more than %d bytes",
			                    LINE_MAX_SIZE - 1);
		if (text.size > 0)
			RS_TRY(answer_line(g, line, err));
	}
	if (!g->has_mask)
		return RS_OK;
	RS_TRY(segment_out_seal(&g->out, NULL, err));
	if (g->out.receipts.count)
		fprintf(stderr, "sealed %s\n", g->out.receipts.paths[0]);
	return RS_OK;
}

/* On the first one's grid. */
static enum rs_code read_images(struct growing *g, struct rs_error *err)
{
	for (size_t i = 0; i < g->line->operand_count - 1; i++) {
		const char *path = segment_operand(g->line, i);
		char note[256];
		RS_TRY(rs_volume_read(rs_world_system(), path, &g->images[i], err));
		g->count++;
		const struct rs_geometry *grid = &g->images[0].geometry;
		struct rs_mask shape = {.geometry = g->images[i].geometry};
		if (rs_mask_match(grid, &shape, 1e-3 * grid->spacing_mm[0], note, sizeof note, err) != RS_OK)
			return rs_error_context(err, "%s beside %s", path, segment_operand(g->line, 0));
	}
	return RS_OK;
}

static enum rs_code begin(struct growing *g, bool *out_started, struct rs_error *err)
{
	const struct command_line *line = g->line;
	struct rs_grow_options how;
	struct rs_box box;
	bool has_box;
	RS_TRY(read_options(line, &how, err));
	g->out.others = line->operands + 2;
	g->out.other_count = line->operand_count - 2;
	RS_TRY(segment_out_open(line, segment_operand(line, 0), "radseal grow", &g->out, err));
	RS_TRY(read_images(g, err));
	RS_TRY(segment_read_box(line, &g->images[0].geometry, &has_box, &box, err));
	const struct rs_volume *images[RS_GROW_IMAGES_MAX];
	for (size_t i = 0; i < g->count; i++)
		images[i] = &g->images[i];
	RS_TRY(rs_grow_open_several(images, g->count, has_box ? &box : NULL, &how, &g->grow, err));
	RS_TRY(paint_seeds(g, err));
	*out_started = has_box || line->repeat_count > 0 || option_given(line, "seeds");
	return segment_paint_typed(line, &g->images[0].geometry, g->grow, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct growing g RS_CLEANUP(growing_finish) = {.line = line};
	const bool interactive = option_given(line, "interactive");
	bool started;
	rs_buffer_init(&g.text, TEXT_MAX);
	RS_TRY(begin(&g, &started, err));
	if (!started && !interactive)
		return rs_error_set(err, RS_USAGE, "segment grow: give --stroke, --seeds or --box");
	if (started) {
		const bool as_json = interactive || option_given(line, "json");
		RS_TRY(update(&g, !interactive, as_json, !interactive, err));
		if (as_json || !option_given(line, "quiet"))
			RS_TRY(say(&g, err));
	}
	return interactive ? converse(&g, err) : RS_OK;
}

const struct segment_verb segment_grow = {
	.name = "grow",
	.arguments = "1 to 12 images",
	.takes = {"seeds", "inside", "outside", "stroke", "radius", "box", "mm", "smooth", "edge", "band",
                  "round", "threshold", "walk", "learn", "interactive", SEGMENT_OUT_TAKES},
	.least = 1,
	.most = RS_GROW_IMAGES_MAX,
	.run = run,
};
