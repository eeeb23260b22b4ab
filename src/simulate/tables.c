/* clinical.csv, truth.json, README.txt */
#include "tables.h"

#include "instance.h"

static enum rs_code put(const struct rs_world *world, const char *directory, const char *name,
                        const struct rs_buffer *content, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directory, name);
	if (!path)
		return rs_error_memory(err, 1, "a path");
	RS_TRY(rs_buffer_check(content, name, err));
	return instance_put(world, path, rs_buffer_bytes(content), err);
}

static void clinical(const struct rs_simulate_options *options, const struct case_row *rows,
                     struct rs_buffer *out)
{
	rs_buffer_append_text(
		out, "case,synthetic,centre,field_t,age,sex,ca19_9,location,size_mm,stage,resectability,"
		     "advanced,responds,time_months,died\n");
	for (size_t i = 0; i < options->patients; i++) {
		const struct patient *p = &rows[i].patient;
		rs_buffer_printf(out, "%s,yes,%c,%s,%u,%s,%.0f,%s,%.0f,%s,%s,%d,%d,%.1f,%d\n", p->id,
		                 (int)('A' + p->centre), scanner_of(p)->at_3t ? "3" : "1.5", p->age,
		                 p->male ? "M" : "F", p->ca19_9, patient_location(p), p->told_size_mm,
		                 patient_stage(p), patient_extent(p), p->advanced, p->responds,
		                 p->time_months, p->died);
	}
}

static void named(struct rs_json *json, const char *key, double value)
{
	rs_json_key(json, key);
	rs_json_f64(json, value);
}

static void tell_patient(struct rs_json *json, const struct patient *p)
{
	rs_json_key(json, "case");
	rs_json_text(json, p->id);
	rs_json_key(json, "latent");
	rs_json_object_begin(json);
	named(json, "aggression", p->aggression);
	named(json, "perfusion", p->perfusion);
	named(json, "stroma", p->stroma);
	rs_json_object_end(json);
	rs_json_key(json, "tumour");
	rs_json_object_begin(json);
	named(json, "size_mm", p->size_mm);
	named(json, "diffusion_mm2_s", p->diffusion);
	named(json, "ktrans_per_min", p->ktrans);
	named(json, "ve", p->ve);
	named(json, "t1_factor", p->t1_factor);
	named(json, "t2_factor", p->t2_factor);
	named(json, "heterogeneity", p->heterogeneity);
	named(json, "texture_mm", p->texture_mm);
	named(json, "necrosis_threshold", p->necrosis);
	named(json, "margin", p->margin);
	rs_json_object_end(json);
}

static void tell_images(struct rs_json *json, const struct study_facts *facts)
{
	rs_json_key(json, "images");
	rs_json_array_begin(json);
	for (size_t i = 0; i < facts->images; i++) {
		const struct image *image = &facts->plan[i];
		const struct movement *m = &facts->movements[i];
		rs_json_object_begin(json);
		rs_json_key(json, "directory");
		rs_json_text(json, image->directory);
		named(json, "place", image->place);
		named(json, "b_s_mm2", image->b);
		named(json, "phase_s", image->phase_s);
		rs_json_key(json, "shift_mm");
		rs_json_array_begin(json);
		for (int k = 0; k < 3; k++)
			rs_json_f64(json, m->shift_mm[k]);
		rs_json_array_end(json);
		named(json, "turn_sine", m->turn);
		named(json, "breath_mm", m->breath_mm);
		named(json, "distortion_mm", m->distortion_mm);
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
}

static void truth(const struct rs_simulate_options *options, const struct case_row *rows,
                  struct rs_buffer *out)
{
	struct rs_json json;
	rs_json_init(&json, out, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "synthetic");
	rs_json_bool(&json, true);
	rs_json_key(&json, "seed");
	rs_json_u64(&json, options->seed);
	rs_json_key(&json, "patients");
	rs_json_array_begin(&json);
	for (size_t i = 0; i < options->patients; i++) {
		const struct study_facts *facts = &rows[i].facts;
		rs_json_object_begin(&json);
		tell_patient(&json, &rows[i].patient);
		named(&json, "relaxivity_l_per_mmol_s", scanner_of(&rows[i].patient)->relaxivity);
		named(&json, "arrival_s", facts->arrival_s);
		named(&json, "volume_mm3", facts->volume_mm3);
		rs_json_key(&json, "reader_volumes_mm3");
		rs_json_array_begin(&json);
		for (size_t k = 0; k < READERS; k++)
			rs_json_f64(&json, facts->reader_mm3[k]);
		rs_json_array_end(&json);
		tell_images(&json, facts);
		rs_json_object_end(&json);
	}
	rs_json_array_end(&json);
	rs_json_object_end(&json);
	rs_buffer_append_text(out, "\n");
}

static void readme(const struct rs_simulate_options *options, struct rs_buffer *out)
{
	rs_buffer_printf(
		out,
		"SYNTHETIC DATA: %zu patients that never lived, made by `radseal demo cohort --seed %llu`.\n"
		"Anatomy, images, stages, survival and response follow from drawn numbers and published tissue\n"
		"values; how biology shapes images and outcome is chosen, not measured. Good for trying and\n"
		"testing software. No medical conclusion can be drawn from it.\n\n"
		"clinical.csv  what a clinician sees, and what became of the patients (advanced, responds, died: 1 yes)\n"
		"truth.json    what is behind it: do not train on it\n"
		"SIM-*/study   DICOM series; SIM-*/masks: DICOM segmentations on the T2 image's grid\n\n"
		"Published values: T1 and T2 of organs, de Bazelaire, Radiology 230 (2004) 652; of blood and cord, Stanisz,\n"
		"Magn. Res. Med. 54 (2005) 507; of chronic pancreatitis, Tirkes, J. Magn. Res. Imaging 45 (2017) 1171, and\n"
		"its extracellular volume, Abdom. Radiol. 44 (2019) 3133; ADC of gland and cancer, Egypt. J. Radiol. Nucl.\n"
		"Med. (2013); perfusion and diffusion with grade, Zaboriene, Diagnostics 13 (2023) 521, and Ma, Quant.\n"
		"Imaging Med. Surg. 8 (2018) 301; arterial input, Parker, Magn. Res. Med. 56 (2006) 993; relaxivity, Rohrer,\n"
		"Invest. Radiol. 40 (2005) 715; stages, AJCC 8. Levels of Ktrans, which differ tenfold between papers, effects\n"
		"of biology, delays and densities are chosen. Not simulated: errors of flip angles, inflow, T2* of agent.\n",
		options->patients, (unsigned long long)options->seed);
}

enum rs_code tables_write(const struct rs_world *world, const struct rs_simulate_options *options,
                          const struct case_row *rows, const char *directory, struct rs_error *err)
{
	struct rs_buffer csv RS_CLEANUP(rs_buffer_finish) = {0}, json RS_CLEANUP(rs_buffer_finish) = {0},
			     text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&csv, (size_t)1 << 24);
	rs_buffer_init(&json, (size_t)1 << 28);
	rs_buffer_init(&text, 4096);
	clinical(options, rows, &csv);
	truth(options, rows, &json);
	readme(options, &text);
	RS_TRY(put(world, directory, "clinical.csv", &csv, err));
	RS_TRY(put(world, directory, "truth.json", &json, err));
	return put(world, directory, "README.txt", &text, err);
}
