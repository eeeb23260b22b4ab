/* Making one patient: the body is painted, then each image is taken of it and written, one at a time. */
#include "study.h"

#include <stdio.h>
#include <string.h>

#include "draw.h"
#include "export/export.h"
#include "elements.h"

#define REACH_HALF_X 179.0
#define REACH_HALF_Y 141.0
#define REACH_HALF_Z 54.0
#define MARGIN_MM 14.0 /* the map goes beyond the images: things move */
#define GRAIN_MM 7.0
#define ADC_UNIT 1e-6 /* mm2/s of a pixel's step, as scanners have it */
#define ADC_MAX 4095

struct making {
	const struct rs_world *world;
	const struct rs_simulate_options *options;
	const struct patient *patient;
	const char *directory;
	struct study_facts *facts;
	struct anatomy anatomy;
	struct field grain;
	struct rs_stream stream;
	struct receiver receiver;
	struct enhanced_series series;       /* where files have many frames */
	double adc_sums[3];                  /* of b: 1, b, b b */
	struct rs_volume log_sum, b_log_sum; /* of the DWI images: for the ADC that the scanner makes */
	struct rs_geometry t2;
};

static void making_finish(struct making *m)
{
	anatomy_finish(&m->anatomy);
	field_finish(&m->grain);
	rs_volume_finish(&m->log_sum);
	rs_volume_finish(&m->b_log_sum);
	rs_buffer_finish(&m->series.pixels);
}

/* ---- where and how ---- */

static struct rs_geometry geometry_of(struct making *m, const struct image *image)
{
	static const double half[3] = {REACH_HALF_X, REACH_HALF_Y, REACH_HALF_Z}, stray[3] = {3, 3, 2};
	struct rs_geometry g = {.direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
	for (int i = 0; i < 3; i++) {
		g.spacing_mm[i] = image->spacing_mm[i];
		g.size[i] = (size_t)floor(2 * half[i] / g.spacing_mm[i] + 0.5);
		double centre = floor(10 * draw_between(&m->stream, -stray[i], stray[i])) / 10;
		g.origin_mm[i] = floor((centre - g.spacing_mm[i] * ((double)g.size[i] - 1) / 2) * 1000 +
		                       0.5) /
		                 1000;
	}
	return g;
}

/* The T2 image is what others are moved against. */
static struct movement movement_of(struct making *m, const struct image *image)
{
	struct rs_stream *s = &m->stream;
	struct movement out = {.turn = 0};
	if (image->kind == IMAGE_T2)
		return out;
	double share = image->kind == IMAGE_DCE && image->phase_s > 0 ? 0.4
	                                                              : 1; /* phases follow soon after */
	for (int i = 0; i < 3; i++)
		out.shift_mm[i] = share * draw_normal(s);
	out.turn = share * 0.008 * draw_normal(s);
	out.breath_mm = share * draw_clamp(2 + 2.5 * draw_normal(s), -4, 8);
	if (image->kind == IMAGE_DWI)
		out.distortion_mm = (scanner_of(m->patient)->at_3t ? 6 : 3.5) * draw_between(s, 0.6, 1.4);
	return out;
}

static void draw_receiver(struct making *m)
{
	const struct scanner *scanner = scanner_of(m->patient);
	double shading = scanner->shading;
	for (int i = 0; i < 3; i++) {
		m->receiver.shading[i] = shading * 0.6 * draw_normal(&m->stream);
		m->receiver.shading[3 + i] = shading *
		                             draw_between(&m->stream, 0.2, 1.4); /* coils are outside */
	}
	m->receiver.gain = scanner->gain * exp(0.15 * draw_normal(&m->stream));
}

/* ---- images ---- */

/* What a signal is to noise, for pancreas in an image without contrast agent or diffusion weighting. */
static double noise_of(const struct making *m, const struct image *image, const double looks[static LABELS])
{
	static const double ratio[] = {[IMAGE_T2] = 22,  [IMAGE_T1] = 32,    [IMAGE_DWI] = 34,
	                               [IMAGE_ADC] = 34, [IMAGE_FLIPS] = 30, [IMAGE_DCE] = 30};
	struct image plain = *image;
	double reference[LABELS];
	const double *signal = looks;
	if (image->kind == IMAGE_DWI || image->kind == IMAGE_DCE) {
		plain.b = plain.phase_s = 0;
		scan_looks(m->patient, &plain, m->facts->arrival_s, reference);
		signal = reference;
	}
	return m->receiver.gain * signal[PANCREAS] / (ratio[image->kind] * scanner_of(m->patient)->snr);
}

/* Sums for a straight line through the logarithms of signals. */
static enum rs_code remember_diffusion(struct making *m, const struct image *image,
                                       const struct rs_volume *volume, struct rs_error *err)
{
	const size_t count = rs_geometry_voxels(&volume->geometry);
	if (image->place == 0) {
		RS_TRY(rs_volume_init(&m->log_sum, &volume->geometry, err));
		RS_TRY(rs_volume_init(&m->b_log_sum, &volume->geometry, err));
	}
	m->adc_sums[0] += 1;
	m->adc_sums[1] += image->b;
	m->adc_sums[2] += image->b * image->b;
	for (size_t i = 0; i < count; i++) {
		double logarithm = log(fmax(volume->voxels[i], 1));
		m->log_sum.voxels[i] += logarithm;
		m->b_log_sum.voxels[i] += image->b * logarithm;
	}
	return RS_OK;
}

static void derive_adc(const struct making *m, struct rs_volume *out)
{
	const double *sums = m->adc_sums, below = sums[0] * sums[2] - sums[1] * sums[1];
	for (size_t i = 0; i < rs_geometry_voxels(&out->geometry); i++) {
		double adc = (sums[1] * m->log_sum.voxels[i] - sums[0] * m->b_log_sum.voxels[i]) / below;
		out->voxels[i] = draw_clamp(floor(adc / ADC_UNIT + 0.5), 0, ADC_MAX);
	}
}

static enum rs_code take_image(struct making *m, size_t index, struct rs_geometry *geometry,
                               struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	const struct image *image = &m->facts->plan[index];
	const struct instance_writer writer = {m->world, m->options, m->patient, m->directory,
	                                       m->options->enhanced ? &m->series : NULL};
	struct movement *movement = &m->facts->movements[index];
	double looks[LABELS] = {0}, grains[LABELS] = {0};
	/* Volumes of one kind share a grid, and the ADC that of its images. */
	if (index == 0 || (image->kind != image[-1].kind && image->kind != IMAGE_ADC))
		*geometry = geometry_of(m, image);
	const bool follows = image->kind == IMAGE_ADC || (image->kind == IMAGE_DWI && image->place > 0);
	*movement = follows ? m->facts->movements[index - 1] : movement_of(m, image);
	RS_TRY(rs_volume_init(&volume, geometry, err));
	if (image->kind == IMAGE_ADC) {
		derive_adc(m, &volume);
		return instance_write_series(&writer, image, &volume, err);
	}
	for (unsigned label = 0; label < LABELS; label++)
		if (label < TISSUES || label >= TUMOUR)
			grains[label] = tissue_values(m->patient, label, true).grain;
	scan_looks(m->patient, image, m->facts->arrival_s, looks);
	m->receiver.noise = noise_of(m, image, looks);
	render(&m->anatomy, &m->grain, movement, looks, grains, &m->receiver, &m->stream, &volume);
	if (image->kind == IMAGE_DWI)
		RS_TRY(remember_diffusion(m, image, &volume, err));
	if (image->kind == IMAGE_T2)
		m->t2 = volume.geometry;
	return instance_write_series(&writer, image, &volume, err);
}

/* ---- masks ---- */

/* A world whose clock stands still and whose random numbers are the seed's: the same segmentation every time. */
struct still_world {
	struct rs_clock clock;
	struct rs_random random;
	struct rs_world world;
	uint64_t now_ms;
	struct rs_stream stream;
};

static uint64_t still_now(const struct rs_clock *clock)
{
	const struct still_world *still = (const struct still_world *)(const void *)clock;
	return still->now_ms;
}

static enum rs_code still_fill(const struct rs_random *random, void *out, size_t size,
                               struct rs_error *err RS_UNUSED)
{
	struct still_world *still = (struct still_world *)(void *)((uintptr_t)random -
	                                                           offsetof(struct still_world, random));
	uint8_t *bytes = out;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(rs_stream_next(&still->stream) >> 32);
	return RS_OK;
}

static double volume_of(const struct rs_mask *mask)
{
	const struct rs_geometry *g = &mask->geometry;
	size_t count = 0;
	for (size_t i = 0; i < rs_geometry_voxels(g); i++)
		count += mask->labels[i] != 0;
	return (double)count * g->spacing_mm[0] * g->spacing_mm[1] * g->spacing_mm[2];
}

static enum rs_code write_mask(struct making *m, const struct rs_export_source *source, unsigned reader,
                               const struct rs_mask *mask, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_stream random = draw_stream(m->options->seed, m->patient->number, DRAW_UID);
	struct still_world still = {
		.clock = {.now_ms = still_now},
		.random = {.fill = still_fill},
		.now_ms = m->patient->study_ms + 7200000 + 600000 * reader,
		.stream = rs_stream_of(random.state, m->options->enhanced ? READERS + reader : reader)};
	still.world = (struct rs_world){&still.clock, &still.random, m->world->files};
	const struct rs_export_maker maker = {.world = &still.world, .version = m->options->version};
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/../masks/reader%u.dcm", m->directory,
	                                                        reader + 1);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	rs_buffer_init(&file, (size_t)1 << 28);
	RS_TRY(rs_export_segmentation(source, &maker, mask, &file, err));
	return instance_put(m->world, path, rs_buffer_bytes(&file), err);
}

static enum rs_code read_mask(struct making *m, const struct rs_export_source *source, unsigned reader,
                              struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_stream stream = draw_stream(m->options->seed, m->patient->number, DRAW_READER);
	struct waves straying;
	stream = rs_stream_of(stream.state, reader);
	waves_init(&straying, 10, 25, &stream);
	/* The first reader is careful; the second draws a little outside, and less steadily. */
	double outside = (reader ? 0.6 : 0.0) + 0.4 * draw_normal(&stream), steady = reader ? 1.2 : 0.7;
	RS_TRY(rs_mask_init(&mask, &m->t2, err));
	mask.names = rs_allocate_array(1, sizeof *mask.names);
	if (!mask.names)
		return rs_error_memory(err, sizeof *mask.names, "a mask");
	mask.name_count = 1;
	mask.names[0].value = 1;
	snprintf(mask.names[0].name, sizeof mask.names[0].name, "Tumour, reader %u (SYNTHETIC)", reader + 1);
	RS_TRY(render_mask(&m->anatomy, &straying, outside, steady, &mask, err));
	m->facts->reader_mm3[reader] = volume_of(&mask);
	return write_mask(m, source, reader, &mask, err);
}

static enum rs_code read_masks(struct making *m, struct rs_error *err)
{
	struct rs_export_source *source RS_CLEANUP(rs_export_source_close_pointer) = NULL;
	char *t2 RS_CLEANUP(rs_free_pointer) = rs_path_join(m->directory, "T2");
	if (!t2)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_export_source_open(m->world, t2, &source, err));
	for (unsigned reader = 0; reader < READERS; reader++)
		RS_TRY(read_mask(m, source, reader, err));
	return RS_OK;
}

/* ---- truth ---- */

static enum rs_code write_map(struct making *m, const char *name, const double values[static LABELS],
                              struct rs_error *err)
{
	struct rs_volume map RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/../truth/%s.nii.gz", m->directory, name);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_volume_init(&map, &m->t2, err));
	map.stored = RS_VOXEL_F32;
	render_truth(&m->anatomy, values, &map);
	return rs_volume_write_described(m->world, path, &map, SYNTHETIC, err);
}

static enum rs_code write_tumour(struct making *m, const struct rs_mask *tumour, struct rs_error *err)
{
	struct rs_volume map RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/../truth/tumour.nii.gz", m->directory);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_volume_init(&map, &tumour->geometry, err));
	map.stored = RS_VOXEL_U8;
	for (size_t i = 0; i < rs_geometry_voxels(&map.geometry); i++)
		map.voxels[i] = tumour->labels[i];
	return rs_volume_write_described(m->world, path, &map, SYNTHETIC, err);
}

static enum rs_code write_truth(struct making *m, const struct rs_mask *tumour, struct rs_error *err)
{
	double adc[LABELS] = {0}, ktrans[LABELS] = {0}, ve[LABELS] = {0}, t1[LABELS] = {0};
	scan_adc(m->patient, adc);
	for (unsigned label = 0; label < LABELS; label++) {
		if (label >= TISSUES && label < TUMOUR)
			continue;
		struct tissue_values t = tissue_values(m->patient, label, scanner_of(m->patient)->at_3t);
		ktrans[label] = t.perfusion.ktrans;
		ve[label] = t.perfusion.ve;
		t1[label] = t.t1_ms;
	}
	RS_TRY(write_tumour(m, tumour, err));
	RS_TRY(write_map(m, "adc", adc, err));
	RS_TRY(write_map(m, "ktrans", ktrans, err));
	RS_TRY(write_map(m, "ve", ve, err));
	return write_map(m, "t1", t1, err);
}

static enum rs_code know_truth(struct making *m, struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	RS_TRY(rs_mask_init(&mask, &m->t2, err));
	RS_TRY(render_mask(&m->anatomy, NULL, 0, 0, &mask, err));
	m->facts->volume_mm3 = volume_of(&mask);
	return m->options->truth ? write_truth(m, &mask, err) : RS_OK;
}

/* ---- the whole ---- */

static enum rs_code make_directories(const struct making *m, struct rs_error *err)
{
	static const char *const names[] = {"study", "masks", "truth"};
	char *patient RS_CLEANUP(rs_free_pointer) = rs_path_directory(m->directory);
	if (!patient)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(m->world->files->make_directory(m->world->files, patient, 0755, err));
	for (size_t i = 0; i < (m->options->truth ? 3u : 2u); i++) {
		char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(patient, names[i]);
		if (!path)
			return rs_error_memory(err, 1, "a path");
		RS_TRY(m->world->files->make_directory(m->world->files, path, 0755, err));
	}
	return RS_OK;
}

static enum rs_code make_body(struct making *m, struct rs_error *err)
{
	static const double voxels[2][3] = {
		[RS_SIMULATE_SMALL] = {1.6, 1.6, 2.25}, [RS_SIMULATE_FULL] = {0.8, 0.8, 1.2}};
	static const double half[3] = {REACH_HALF_X + MARGIN_MM, REACH_HALF_Y + MARGIN_MM,
	                               REACH_HALF_Z + MARGIN_MM};
	RS_TRY(anatomy_init(&m->anatomy, m->patient, m->options->seed, voxels[m->options->size], half, err));
	return field_init(&m->grain, half, GRAIN_MM, &m->stream, err);
}

enum rs_code study_make(const struct rs_world *world, const struct rs_simulate_options *options,
                        const struct patient *patient, const char *directory, struct study_facts *out,
                        struct rs_error *err)
{
	struct making *m RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *m);
	struct rs_geometry geometry = {.size = {0}};
	char *study RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/%s/study", directory, patient->id);
	if (!m || !study)
		return rs_error_memory(err, sizeof *m, "a patient");
	*m = (struct making){.world = world,
	                     .options = options,
	                     .patient = patient,
	                     .directory = study,
	                     .facts = out,
	                     .stream = draw_stream(options->seed, patient->number, DRAW_SCAN)};
	enum rs_code code = make_directories(m, err);
	if (code == RS_OK)
		code = make_body(m, err);
	out->images = scan_plan(patient, options->size, out->plan);
	out->arrival_s = draw_clamp(15.5 + 1.5 * draw_normal(&m->stream), 12.5, 20);
	draw_receiver(m);
	for (size_t i = 0; code == RS_OK && i < out->images; i++)
		code = take_image(m, i, &geometry, err);
	if (code == RS_OK)
		code = read_masks(m, err);
	if (code == RS_OK)
		code = know_truth(m, err);
	making_finish(m);
	return code;
}
