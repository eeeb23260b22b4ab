/* One image as DICOM files: one for each slice (PS3.3 A.4, MR Image IOD), or one for all of a series (A.36). */
#ifndef RS_SIMULATE_INSTANCE_H
#define RS_SIMULATE_INSTANCE_H

#include "scan.h"

/* A UID of the seed and what it names, separated by slashes: always the same. */
void instance_uid(uint64_t seed, const char *name, char out[static 65]);
/* "20240102" and "081500.000" of a time. */
void instance_time(uint64_t time_ms, char date[static 9], char time[static 16]);
/* A file without waiting for the disk: what was cut short is made again from the seed. */
enum rs_code instance_put(const struct rs_world *world, const char *path, struct rs_bytes content,
                          struct rs_error *err);

/* The volumes of one series, until they are a file of many frames. */
struct enhanced_series {
	struct rs_buffer pixels;
	double brightest[PHASES];
};
struct instance_writer {
	const struct rs_world *world;
	const struct rs_simulate_options *options;
	const struct patient *patient;
	const char *study_directory;
	struct enhanced_series *series; /* NULL: a file for each slice */
};
/* Pixels are whole numbers 0 … 65535. */
enum rs_code instance_write_series(const struct instance_writer *writer, const struct image *image,
                                   const struct rs_volume *volume, struct rs_error *err);
/* enhanced.c: the next volume of a series as frames (PS3.3 A.36, Enhanced MR Image IOD); with the last one the file is
 * written. The images of a series follow one another in memory. */
enum rs_code enhanced_add(const struct instance_writer *writer, const struct image *image,
                          const struct rs_volume *volume, const char *directory, struct rs_error *err);

#endif
