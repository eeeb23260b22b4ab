/* A pipeline done to a study: steps that need volumes side by side first; what is done to each alone last, so that only one of
 * them is large at a time. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "work.h"

#define TEXT_MAX ((size_t)64 << 20)
#define ITEMS_MAX 4096
#define BATCH_VOXELS ((size_t)40 << 20)

void leave_out(struct work *work, const char *what, const char *why)
{
	rs_buffer_printf(&work->said, "%s: %s\n", what, why);
	work->left_out++;
}

enum rs_code survive(struct work *work, const char *what, enum rs_code code, struct rs_error *err)
{
	static const enum rs_code ends[] = {RS_NO_MEMORY, RS_NO_SPACE, RS_CANCELLED, RS_INTERNAL, RS_BUSY};
	if (code == RS_OK)
		return RS_OK;
	for (size_t i = 0; i < RS_COUNT(ends); i++)
		if (code == ends[i])
			return code;
	leave_out(work, what, err ? err->message : rs_code_name(code));
	return RS_OK;
}

struct held *first_of(struct work *work, enum rs_scan_kind family)
{
	for (size_t i = 0; i < work->count; i++)
		if (work->items[i].family == family && (!work->items[i].map || family == RS_SCAN_ADC))
			return &work->items[i];
	return NULL;
}

struct held *any_of(struct work *work, enum rs_scan_kind family)
{
	struct held *item = first_of(work, family);
	for (size_t i = 0; !item && i < work->count; i++)
		if (work->items[i].family == family)
			item = &work->items[i];
	return item;
}

enum rs_code hold(struct work *work, const struct held *item, struct rs_error *err)
{
	struct held kept = *item;
	if (work->count == work->room) {
		size_t room = work->room ? 2 * work->room : 64;
		struct held *more = room <= ITEMS_MAX ? rs_reallocate(work->items, room * sizeof *more)
		                                      : NULL;
		if (!more) {
			rs_volume_finish(&kept.volume);
			return rs_error_memory(err, room * sizeof *more, "volumes");
		}
		work->items = more;
		work->room = room;
	}
	work->items[work->count++] = kept;
	return RS_OK;
}

static void let_go(struct work *work, size_t index)
{
	rs_volume_finish(&work->items[index].volume);
	memmove(work->items + index, work->items + index + 1,
	        (work->count - index - 1) * sizeof *work->items);
	work->count--;
}

void drop_family(struct work *work, enum rs_scan_kind family)
{
	for (size_t i = work->count; i-- > 0;)
		if (work->items[i].family == family)
			let_go(work, i);
	work->families[family].present = false;
}

static void tell(const struct work *work, const char *step, const char *what)
{
	char text[96];
	if (!work->how->progress)
		return;
	(void)snprintf(text, sizeof text, "%s %s", step, what);
	work->how->progress(work->how->context, text);
}

static bool is_for(const struct rs_step *step, const struct held *item)
{
	return (step->on & BIT(item->family)) != 0 && !item->map;
}

static enum rs_code do_single(struct work *work, const struct rs_step *step, struct held *item,
                              struct rs_error *err)
{
	tell(work, step_rows[step->kind].name, item->name);
	switch (step->kind) {
	case RS_STEP_DENOISE: return denoise_one(work, step, item, err);
	case RS_STEP_BIAS: return bias_one(work, step, item, err);
	case RS_STEP_NORMALISE: return normalise_one(work, step, item, err);
	default: return rs_error_set(err, RS_INTERNAL, "no step of one volume");
	}
}

static enum rs_code do_several(struct work *work, const struct rs_step *step, struct rs_error *err)
{
	tell(work, step_rows[step->kind].name, "");
	switch (step->kind) {
	case RS_STEP_ADC: return do_adc(work, step, err);
	case RS_STEP_DCE: return do_dce(work, step, err);
	case RS_STEP_REGISTER: return do_register(work, step, err);
	case RS_STEP_RESAMPLE: return do_resample(work, step, err);
	default: return rs_error_set(err, RS_INTERNAL, "no step of several volumes");
	}
}

/* A volume that a step fails on is left out: half prepared, it would pass for what it is not. */
static enum rs_code single_step(struct work *work, const struct rs_step *step, size_t *index,
                                struct rs_error *err)
{
	struct held *item = &work->items[*index];
	char what[2 * NAME_SIZE];
	if (!is_for(step, item)) {
		++*index;
		return RS_OK;
	}
	enum rs_code code = do_single(work, step, item, err);
	if (code == RS_OK) {
		++*index;
		return RS_OK;
	}
	enum rs_scan_kind family = item->family;
	(void)snprintf(what, sizeof what, "%s: %s", item->name, step_rows[step->kind].name);
	RS_TRY(survive(work, what, code, err));
	let_go(work, *index);
	work->families[family].present = any_of(work, family) != NULL;
	return RS_OK;
}

static size_t steps_together(const struct rs_pipeline *pipeline)
{
	size_t count = 0;
	for (size_t i = 0; i < pipeline->step_count; i++)
		if (!step_rows[pipeline->steps[i].kind].single)
			count = i + 1;
	return count;
}

static enum rs_code do_together(struct work *work, size_t steps, struct rs_error *err)
{
	for (size_t s = 0; s < steps; s++) {
		const struct rs_step *step = &work->how->pipeline->steps[s];
		if (!step_rows[step->kind].single)
			RS_TRY(do_several(work, step, err));
		for (size_t i = 0; step_rows[step->kind].single && i < work->count;)
			RS_TRY(single_step(work, step, &i, err));
		for (size_t k = 0; k < RS_SCAN_KINDS; k++)
			work->families[k].has_scale = false; /* a second normalisation finds its own */
		if (!first_of(work, work->reference))
			return rs_error_set(err, RS_REFUSED, "the reference, %s, was left out: %.*s",
			                    rs_scan_kind_name(work->reference), (int)work->said.size,
			                    (const char *)work->said.data);
	}
	return RS_OK;
}

/* Alone from here on: onto the grid, then what is done to single volumes. */
static enum rs_code finish_one(struct work *work, size_t from, struct held *item, struct rs_error *err)
{
	const struct rs_pipeline *pipeline = work->how->pipeline;
	if (work->resampled) {
		tell(work, "resample", item->name);
		RS_TRY(lay_on_grid(work, item, err));
	}
	for (size_t s = from; s < pipeline->step_count; s++)
		if (is_for(&pipeline->steps[s], item)) {
			enum rs_code code = do_single(work, &pipeline->steps[s], item, err);
			if (code != RS_OK)
				return rs_error_context(err, "%s", step_rows[pipeline->steps[s].kind].name);
		}
	return RS_OK;
}

/* As many as are packed side by side: one for each thread, while they are small enough for that. */
static size_t batch_size(const struct work *work)
{
	size_t voxels = rs_geometry_voxels(&work->grid), most = voxels ? BATCH_VOXELS / voxels : 1;
	unsigned threads = rs_pool_threads(work->how->pool);
	return most < 1 ? 1 : most < threads ? most : threads;
}

static enum rs_code finish_all(struct work *work, size_t from, struct rs_error *err)
{
	size_t batch = batch_size(work), ready = 0;
	while (work->count > 0) {
		while (ready < work->count && ready < batch) {
			struct held *item = &work->items[ready];
			enum rs_code code = RS_OK;
			bool wanted = item->family != RS_SCAN_VFA;
			if (wanted)
				code = finish_one(work, from, item, err);
			RS_TRY(survive(work, item->name, code, err));
			if (wanted && code == RS_OK)
				ready++;
			else
				let_go(work, ready);
		}
		RS_TRY(write_items(work, ready, err));
		for (; ready > 0; ready--)
			let_go(work, 0);
	}
	return RS_OK;
}

static enum rs_code do_all(struct work *work, struct rs_error *err)
{
	size_t together = steps_together(work->how->pipeline);
	struct rs_str rest = rs_str_from(work->how->complaints), line;
	while (rs_str_split(&rest, '\n', &line))
		if (line.size > 0) {
			rs_buffer_append(&work->said, line.data, line.size);
			rs_buffer_append_text(&work->said, "\n");
			work->left_out++;
		}
	tell(work, "read", "");
	RS_TRY(load_scans(work, err));
	RS_TRY(read_mask(work, err));
	RS_TRY(rs_directory_make(work->how->world, work->how->directory, err));
	RS_TRY(begin_report(work, err));
	RS_TRY(do_together(work, together, err));
	RS_TRY(lay_mask(work, err));
	RS_TRY(finish_all(work, together, err));
	if (work->written == 0)
		return rs_error_set(err, RS_REFUSED, "nothing could be prepared: %.*s", (int)work->said.size,
		                    (const char *)work->said.data);
	return end_report(work, err);
}

static void work_finish(struct work *work)
{
	while (work->count > 0)
		let_go(work, work->count - 1);
	rs_free(work->items);
	for (size_t k = 0; k < RS_SCAN_KINDS; k++)
		rs_transform_finish(&work->families[k].transform);
	for (size_t i = 0; i < work->output_count; i++)
		rs_free(work->outputs[i].path);
	rs_free(work->outputs);
	rs_free(work->sources);
	rs_free(work->region);
	rs_mask_finish(&work->mask);
	rs_buffer_finish(&work->text);
	rs_buffer_finish(&work->said);
}

static enum rs_code hand_over(struct work *work, struct rs_prepared *out, struct rs_error *err)
{
	struct rs_prepared prepared = {.written = work->written, .left_out = work->left_out};
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(work->how->directory, "prepared.json");
	prepared.files = rs_allocate_array(work->output_count, sizeof *prepared.files);
	if (!path || !prepared.files) {
		rs_free(prepared.files);
		return rs_error_memory(err, work->output_count * sizeof *prepared.files, "a list of files");
	}
	enum rs_code code = rs_file_replace(work->how->world, path, rs_buffer_bytes(&work->text), 0644, err);
	if (code != RS_OK) {
		rs_free(prepared.files);
		return code;
	}
	for (size_t i = 0; i < work->output_count; i++) {
		prepared.files[prepared.file_count++] = work->outputs[i].path;
		work->outputs[i].path = NULL;
	}
	prepared.sources = work->sources;
	prepared.source_count = work->source_count;
	prepared.report = work->text;
	prepared.said = work->said;
	work->sources = NULL;
	work->text = (struct rs_buffer){0};
	work->said = (struct rs_buffer){0};
	*out = prepared;
	return RS_OK;
}

enum rs_code rs_prepare_study(const struct rs_prepare *how, struct rs_prepared *out, struct rs_error *err)
{
	struct work *work = rs_allocate(sizeof *work);
	if (!work)
		return rs_error_memory(err, sizeof *work, "a study");
	work->how = how;
	rs_buffer_init(&work->text, TEXT_MAX);
	rs_buffer_init(&work->said, TEXT_MAX);
	rs_json_init(&work->json, &work->text, true);
	enum rs_code code = do_all(work, err);
	if (code == RS_OK)
		code = hand_over(work, out, err);
	work_finish(work);
	rs_free(work);
	return code;
}

void rs_prepared_finish(struct rs_prepared *prepared)
{
	if (!prepared)
		return;
	for (size_t i = 0; i < prepared->file_count; i++)
		rs_free(prepared->files[i]);
	rs_free(prepared->files);
	rs_free(prepared->sources);
	rs_buffer_finish(&prepared->report);
	rs_buffer_finish(&prepared->said);
	*prepared = (struct rs_prepared){.files = NULL};
}
