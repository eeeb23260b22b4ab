/* A study while it is prepared: the volumes that are held, what is known of each, and the report that grows. */
#ifndef RS_PREPARE_WORK_H
#define RS_PREPARE_WORK_H

#include "intensity/intensity.h"
#include "pipeline.h"
#include "register/register.h"

#define NAME_SIZE 32
struct held {
	char name[NAME_SIZE];
	enum rs_scan_kind family;
	const char *unit; /* UCUM; "" of signals, which have none */
	bool map;         /* computed, or measured by the scanner: no signal */
	struct rs_volume volume;
	double b, flip, time_s;
	double sigma; /* of the noise, as it was read; NaN: nobody could tell */
};
struct family {
	bool present, moved; /* moved: transform is of use */
	struct rs_transform transform;
	bool has_scale; /* of the first volume, for all others */
	struct rs_scale scale;
	struct rs_landmarks landmarks;
};
/* What lies in the directory now. */
struct output {
	char name[NAME_SIZE], *path;
	const char *unit;
	enum rs_scan_kind family; /* RS_SCAN_OTHER: the mask */
	double b, time_s;
	struct rs_digest digest;
};
struct work {
	const struct rs_prepare *how;
	struct held *items;
	size_t count, room;
	struct family families[RS_SCAN_KINDS];
	enum rs_scan_kind reference;
	struct rs_geometry grid; /* of what comes out; the reference's until something is resampled */
	bool resampled;
	unsigned order;      /* of the spline */
	struct rs_mask mask; /* as it was drawn */
	enum rs_scan_kind mask_on;
	uint8_t *region; /* the mask on the grid, one byte a voxel; NULL: no mask */
	struct output *outputs;
	size_t output_count;
	struct rs_digest *sources;
	size_t source_count;
	struct rs_buffer text, said;
	struct rs_json json; /* of the report, in `text` */
	size_t left_out, written;
};

/* "T1: why": told, and the work goes on. */
void leave_out(struct work *work, const char *what, const char *why);
/* For what fails alone: RS_OK after leave_out(), but the code where nothing can go on (memory, disk). */
enum rs_code survive(struct work *work, const char *what, enum rs_code code, struct rs_error *err);
struct held *first_of(struct work *work, enum rs_scan_kind family); /* a signal; NULL: none */
struct held *any_of(struct work *work, enum rs_scan_kind family);   /* a map, where there is no signal */
/* Takes the volume over, whatever is returned. */
enum rs_code hold(struct work *work, const struct held *item, struct rs_error *err);
void drop_family(struct work *work, enum rs_scan_kind family);
bool same_geometry(const struct rs_geometry *a, const struct rs_geometry *b);
/* Begins an object of the report's list of steps; end it with rs_json_object_end(). */
void tell_step(struct work *work, const struct rs_step *step, const char *what);
void tell_number(struct work *work, const char *key, double value);
void tell_text(struct work *work, const char *key, const char *value);

enum rs_code load_scans(struct work *work, struct rs_error *err);
/* A step: what fails alone is left out; only what ends everything is returned. */
enum rs_code do_adc(struct work *work, const struct rs_step *step, struct rs_error *err);
enum rs_code do_dce(struct work *work, const struct rs_step *step, struct rs_error *err);
enum rs_code do_register(struct work *work, const struct rs_step *step, struct rs_error *err);
/* Sets the grid; volumes follow one by one, by lay_on_grid(). */
enum rs_code do_resample(struct work *work, const struct rs_step *step, struct rs_error *err);
enum rs_code lay_on_grid(struct work *work, struct held *item, struct rs_error *err);
/* Steps of one volume. */
enum rs_code denoise_one(struct work *work, const struct rs_step *step, struct held *item,
                         struct rs_error *err);
enum rs_code bias_one(struct work *work, const struct rs_step *step, struct held *item, struct rs_error *err);
enum rs_code normalise_one(struct work *work, const struct rs_step *step, struct held *item,
                           struct rs_error *err);
/* As it was drawn; then on the grid, which is written, too. */
enum rs_code read_mask(struct work *work, struct rs_error *err);
enum rs_code lay_mask(struct work *work, struct rs_error *err);
/* The first `count`, side by side. */
enum rs_code write_items(struct work *work, size_t count, struct rs_error *err);
enum rs_code write_mask(struct work *work, const struct rs_mask *mask, struct rs_error *err);
/* report.c: what is known before the steps; then what came of them. */
enum rs_code begin_report(struct work *work, struct rs_error *err);
enum rs_code end_report(struct work *work, struct rs_error *err);
/* One byte a voxel of the volume: brighter than the background. The caller frees it. */
enum rs_code foreground_of(const struct rs_volume *volume, uint8_t **out, struct rs_error *err);

/* A file of landmarks: those of the sequence. errors  RS_NOT_FOUND, RS_MALFORMED */
enum rs_code landmarks_read(const struct rs_world *world, const char *path, const char *sequence,
                            struct rs_landmarks *out, struct rs_digest *out_digest, struct rs_error *err);

#endif
