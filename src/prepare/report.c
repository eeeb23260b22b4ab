/* prepared.json, and the files beside it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

#define OUTPUT_MAX ((size_t)16 << 30)
#define SOURCE_MAX ((size_t)2 << 30)
#define SOURCES_MAX ((size_t)1 << 20)

void tell_number(struct work *work, const char *key, double value)
{
	rs_json_key(&work->json, key);
	rs_json_f64(&work->json, value);
}

void tell_text(struct work *work, const char *key, const char *value)
{
	rs_json_key(&work->json, key);
	rs_json_text(&work->json, value);
}

void tell_step(struct work *work, const struct rs_step *step, const char *what)
{
	rs_json_object_begin(&work->json);
	tell_text(work, "step", step_rows[step->kind].name);
	tell_text(work, "on", what);
}

static void tell_digest(struct work *work, const char *key, const struct rs_digest *digest)
{
	rs_json_key(&work->json, key);
	rs_json_hex(&work->json, rs_bytes_of(digest->bytes, RS_SHA256_SIZE));
}

static int by_digest(const void *a, const void *b)
{
	return memcmp(((const struct rs_digest *)a)->bytes, ((const struct rs_digest *)b)->bytes,
	              RS_SHA256_SIZE);
}

static enum rs_code hash_file(const struct rs_world *world, const char *path, size_t maximum,
                              struct rs_digest *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, maximum, &file, err));
	rs_sha256(rs_buffer_bytes(&file), out);
	return RS_OK;
}

/* Files of the scan, each once: frames of one file follow each other. */
static enum rs_code hash_scan(struct work *work, const struct rs_scan *scan, struct rs_error *err)
{
	const char *last = "";
	for (size_t v = 0; v < scan->volume_count; v++)
		for (size_t i = 0; i < scan->volumes[v].image_count; i++) {
			const char *path = scan->volumes[v].images[i].path;
			if (strcmp(path, last) == 0)
				continue;
			last = path;
			RS_TRY(hash_file(work->how->world, path, SOURCE_MAX,
			                 &work->sources[work->source_count++], err));
		}
	return RS_OK;
}

static enum rs_code hash_sources(struct work *work, struct rs_error *err)
{
	size_t images = 0, kept = 0;
	for (size_t k = 0; k < RS_SCAN_KINDS; k++) {
		const struct rs_scan *scan = rs_scans_chosen(work->how->scans, (enum rs_scan_kind)k);
		for (size_t v = 0; scan && v < scan->volume_count; v++)
			images += scan->volumes[v].image_count;
	}
	if (images > SOURCES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %zu images", SOURCES_MAX);
	work->sources = rs_allocate_array(images + 1, sizeof *work->sources);
	if (!work->sources)
		return rs_error_memory(err, images * sizeof *work->sources, "digests");
	for (size_t k = 0; k < RS_SCAN_KINDS; k++) {
		const struct rs_scan *scan = rs_scans_chosen(work->how->scans, (enum rs_scan_kind)k);
		if (scan)
			RS_TRY(hash_scan(work, scan, err));
	}
	qsort(work->sources, work->source_count, sizeof *work->sources, by_digest);
	for (size_t i = 0; i < work->source_count; i++)
		if (kept == 0 || by_digest(&work->sources[i], &work->sources[kept - 1]) != 0)
			work->sources[kept++] = work->sources[i];
	work->source_count = kept;
	return RS_OK;
}

enum rs_code begin_report(struct work *work, struct rs_error *err)
{
	struct rs_digest digest, all;
	struct rs_sha256 hash;
	RS_TRY(rs_pipeline_digest(work->how->pipeline, &digest, err));
	RS_TRY(hash_sources(work, err));
	rs_sha256_init(&hash);
	for (size_t i = 0; i < work->source_count; i++)
		rs_sha256_update(&hash, work->sources[i].bytes, RS_SHA256_SIZE);
	rs_sha256_final(&hash, &all);
	rs_json_object_begin(&work->json);
	tell_text(work, "format", "radseal-prepared/v1");
	tell_text(work, "version", work->how->version);
	rs_json_key(&work->json, "pipeline");
	rs_pipeline_write(work->how->pipeline, &work->json);
	tell_digest(work, "pipeline_sha256", &digest);
	rs_json_key(&work->json, "source_files");
	rs_json_u64(&work->json, work->source_count);
	tell_digest(work, "sources_sha256", &all);
	tell_text(work, "reference", rs_scan_kind_name(work->reference));
	rs_json_key(&work->json, "scans");
	rs_scans_write(work->how->scans, &work->json);
	rs_json_key(&work->json, "steps");
	rs_json_array_begin(&work->json);
	return RS_OK;
}

static void tell_output(struct work *work, const struct output *output)
{
	rs_json_object_begin(&work->json);
	tell_text(work, "name", output->name);
	tell_text(work, "file", rs_path_name(output->path));
	tell_digest(work, "sha256", &output->digest);
	if (output->family != RS_SCAN_OTHER)
		tell_text(work, "sequence", rs_scan_kind_name(output->family));
	if (*output->unit)
		tell_text(work, "unit", output->unit);
	if (!isnan(output->b))
		tell_number(work, "b", output->b);
	if (!isnan(output->time_s))
		tell_number(work, "time_s", output->time_s);
	rs_json_object_end(&work->json);
}

static void tell_grid(struct work *work)
{
	static const char *const keys[] = {"size", "spacing_mm", "origin_mm"};
	rs_json_key(&work->json, "grid");
	rs_json_object_begin(&work->json);
	for (size_t k = 0; k < 3; k++) {
		rs_json_key(&work->json, keys[k]);
		rs_json_array_begin(&work->json);
		for (int axis = 0; axis < 3; axis++)
			rs_json_f64(&work->json, k == 0   ? (double)work->grid.size[axis]
			                         : k == 1 ? work->grid.spacing_mm[axis]
			                                  : work->grid.origin_mm[axis]);
		rs_json_array_end(&work->json);
	}
	rs_json_object_end(&work->json);
}

enum rs_code end_report(struct work *work, struct rs_error *err)
{
	struct rs_str rest = rs_str_of_bytes(rs_buffer_bytes(&work->said)), line;
	rs_json_array_end(&work->json); /* steps */
	tell_grid(work);
	rs_json_key(&work->json, "volumes");
	rs_json_array_begin(&work->json);
	for (size_t i = 0; i < work->output_count; i++)
		tell_output(work, &work->outputs[i]);
	rs_json_array_end(&work->json);
	rs_json_key(&work->json, "left_out");
	rs_json_array_begin(&work->json);
	while (rs_str_split(&rest, '\n', &line))
		if (line.size > 0)
			rs_json_str(&work->json, line);
	rs_json_array_end(&work->json);
	rs_json_object_end(&work->json);
	rs_buffer_append_text(&work->text, "\n");
	RS_TRY(rs_buffer_check(&work->said, "what was left out", err));
	return rs_buffer_check(&work->text, "the report", err);
}

/* ---- files ---- */

static enum rs_code begin_output(struct work *work, const char *name, struct output **out,
                                 struct rs_error *err)
{
	struct output *more = rs_reallocate(work->outputs, (work->output_count + 1) * sizeof *more);
	if (!more)
		return rs_error_memory(err, sizeof *more, "a list of files");
	work->outputs = more;
	struct output *output = &more[work->output_count];
	*output = (struct output){.unit = "", .family = RS_SCAN_OTHER, .b = NAN, .time_s = NAN};
	(void)snprintf(output->name, sizeof output->name, "%s", name);
	output->path = rs_text_printf("%s/%s.nii.gz", work->how->directory, name);
	if (!output->path)
		return rs_error_memory(err, strlen(work->how->directory), "a path");
	work->output_count++;
	*out = output;
	return RS_OK;
}

struct writing {
	struct work *work;
	size_t first; /* output of the first item */
};

static enum rs_code write_item(void *context, size_t index, struct rs_error *err)
{
	const struct writing *writing = context;
	struct work *work = writing->work;
	struct output *output = &work->outputs[writing->first + index];
	struct rs_volume volume = work->items[index].volume;
	/* Seven digits are more than any of this is worth, and half the size. */
	volume.stored = RS_VOXEL_F32;
	RS_TRY(rs_volume_write(work->how->world, output->path, &volume, err));
	return hash_file(work->how->world, output->path, OUTPUT_MAX, &output->digest, err);
}

enum rs_code write_items(struct work *work, size_t count, struct rs_error *err)
{
	struct writing writing = {work, work->output_count};
	for (size_t i = 0; i < count; i++) {
		const struct held *item = &work->items[i];
		struct output *output = NULL;
		RS_TRY(begin_output(work, item->name, &output, err));
		output->unit = item->unit;
		output->family = item->family;
		output->b = item->map ? NAN : item->b;
		output->time_s = item->map || item->family != RS_SCAN_DCE ? NAN : item->time_s;
	}
	RS_TRY(rs_pool_for(work->how->pool, count, write_item, &writing, err));
	work->written += count;
	return RS_OK;
}

enum rs_code write_mask(struct work *work, const struct rs_mask *mask, struct rs_error *err)
{
	struct output *output = NULL;
	RS_TRY(begin_output(work, "mask", &output, err));
	RS_TRY(rs_mask_write(work->how->world, output->path, mask, err));
	return hash_file(work->how->world, output->path, OUTPUT_MAX, &output->digest, err);
}
