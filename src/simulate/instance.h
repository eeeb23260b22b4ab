/* One image as a series of DICOM files, one for each slice (PS3.3 A.4, MR Image IOD). */
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

struct instance_writer {
	const struct rs_world *world;
	const struct rs_simulate_options *options;
	const struct patient *patient;
	const char *study_directory;
};
/* Pixels are whole numbers 0 … 65535. */
enum rs_code instance_write_series(const struct instance_writer *writer, const struct image *image,
                                   const struct rs_volume *volume, struct rs_error *err);

#endif
