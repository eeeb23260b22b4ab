/* Clean Descriptors (PS3.15 E.3.5): of a free text only words of imaging stay, from a list, with numbers too short to name
 * anybody. What is not on the list goes, so a name, an address or a number that nobody thought of goes, too. */
#include "profile.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TOKEN_SIZE 24
#define DIGITS_MAX 3

/* Each between blanks. No word that is a usual family name stands here unless it is a part of the body or a sequence. */
/* clang-format off */
static const char *const words[] = {
	" abd abdomen abdominal abnormal above abscess absent ac accelerated acq acquired ",
	" acquisition acute adc adenocarcinoma adenoma adrenal after air all anatomic and angio ",
	" angiogram angiography angle ankle anterior aorta aortic ap apex apical arch arm ",
	" arterial artery arthro asl atlas average avg axial back baseline before benign ",
	" bilateral biliary biopsy bladder blade blood body bold bone bowel brain brainstem ",
	" breast breath breathhold bronchus bypass calcification calcified calf cancer cardiac ",
	" carotid cartilage catheter caudal cavity cbct cbf cbv cc celiac cell central cerebellum ",
	" cerebral cervical change channel chest chronic cine circumference clavicle clear ",
	" clinical cm coarse coccyx coil collimation colon color colour complete computed ",
	" congenital contrast control coronal coronary corpus corrected correction cortex ",
	" cortical count cr cranial craniocaudal cranium cross csf ct cta cube cyst cystic data ",
	" dce deep defect delay delayed dense density derived detail detector device diagnosis ",
	" diagnostic diameter diaphragm diastole diastolic diff diffuse diffusion digital dilated ",
	" direct disc disease disk display distal dixon dorsal dorsum dose dosimetry dsa dsc dti ",
	" dual duct ductal duodenum duration dwi dx dynamic early ecg echo edema effusion elbow ",
	" end endo enhanced enhancement enlarged epi esophagus etl exam examination expiration ",
	" exposure external extremity eye fa face facial fast fat fatsat fdg feet femoral femur ",
	" fiber fibrosis fibula field film filter filtered fine finger first fissure fistula ",
	" flair flash flex flip flow fluid fluoro focal follow followup foot for forearm fov ",
	" fracture frame free frequency frontal full function functional fusion gadolinium ",
	" gallbladder gastric gate gated generator gland glioma gradient graft grase gray grid ",
	" groin gtv guidance guided half haste head healed heart hematoma hemorrhage hepatic high ",
	" hilar hip humerus hydrocephalus hyper iliac ilium image imaging imrt in incidental ",
	" infarct inferior inflammation inguinal inhalation injection inner inphase inspiration ",
	" instance intensity internal intestine intra intravenous inversion iodine ir ischemia ",
	" isotropic iv jaw jejunum joint kernel kev kidney kinetic knee kv kvp l large larynx lat ",
	" late lateral left leg lens lesion lesions level ligament limb limited line linear lipid ",
	" liver lobe lobular local localiser localizer low lower lumbar lumen lung lungs lv lymph ",
	" lymphoma magnetic magnitude malignant mammo mammogram mammography mandible manual map ",
	" marker mas mask mass maxilla maxillary maximum mean measurement medial median ",
	" mediastinum medium medulla melanoma meniscus mesenteric mesh metastases metastasis ",
	" metastatic mg micro mid middle midline min minimum minip mip ml mlo mm modality mode ",
	" monitor moving mpr mprage mr mra mrcp mri ms multi multiplanar multiple muscle ",
	" myocardial myocardium narrow nasal native navigator neck necrosis negative nephro nerve ",
	" neuro nex node nodes nodular nodule non none normal nose nuclear number oblique ",
	" occipital of off on opposed oral orbit orbital organ orthogonal osteo other out outer ",
	" outphase outside ovary overview pa pancreas pancreatic panoramic parallel parametric ",
	" parathyroid parenchyma parietal parotid part partial patella patency pd pdw pelvic ",
	" pelvis perfusion pericardium periphery peritoneum pet phantom pharynx phase phases ",
	" pilot pituitary pixel plain plan planar plane planning plaque plasma pleura pleural ",
	" plexus pneumonia pneumothorax portable portal position positive post postcontrast ",
	" posterior pre precontrast preliminary prep preparation presentation pressure previous ",
	" primary probe procedure projection prone prostate protocol proton proximal pulmonary ",
	" pulse quality quantitative quick r radial radiography radiology radius rapid rate raw ",
	" readout recon reconstructed reconstruction rectal rectum reduced reference reformat ",
	" reformatted region registered registration relative renal repeat research resection ",
	" resolution respiratory rest restaging resting result retro retroperitoneum reverse rib ",
	" ribs right roi rotation routine rtdose rtplan rtstruct rv sacral sacrum sag sagittal ",
	" saline saturation scan scanogram scaphoid scapula scout screen screening secondary ",
	" section sedation seg segment segmentation sella semi sequence sequential series shim ",
	" short shoulder shunt side sigmoid signal silhouette single sinus sinuses size skeletal ",
	" skin skull slab slice slices small smooth soft solid sonography space spacing spatial ",
	" spect spectroscopy spin spinal spine spiral spleen splenic spoiled stack stage staging ",
	" standard standing static status stenosis stent step sternum stir stomach stone strain ",
	" stress stroke structure study subacute subcutaneous sublingual subtraction sum superior ",
	" supine supplementary supra supraclavicular surface surgical suspicious suv swallow swi ",
	" switched synovial systemic systole systolic tag tail te technique temporal tendon test ",
	" testis thalamus thick thickness thigh thin thoracic thorax throat thrombus thumb thymus ",
	" thyroid ti tibia time tissue to toe tof tomography tomosynthesis tongue total tr tra ",
	" trace tracer trachea transit transversal transverse trauma treatment trial triple true ",
	" trufi tse tsl tube tumor tumour turbo type ulna ulnar ultra ultrasound under unenhanced ",
	" uni unilateral unit unknown upper upright ureter urethra urinary urine urogram us ",
	" uterus vagina valve vascular vasculature vein veins velocity venous ventral ventricle ",
	" ventricular vertebra vertebral vessel vessels vibe view viewer views viscera volume ",
	" volumetric voxel wall warm washin washout water wave wedge week weighted whole wide ",
	" width window wire with without wrist xr xray zone zoom ",
};
/* clang-format on */

static bool is_unit(const char *text)
{
	static const char units[] =
		" b cc cm d ghz hu khz kev kv kvp mas mbq mg mhz min ml mm ms mv s sec t tesla w ";
	char word[TOKEN_SIZE + 2];
	(void)snprintf(word, sizeof word, " %s ", text);
	return !*text || strstr(units, word);
}

/* "5", "120kv", "3d"; "t1", "t2w", "b1000", "te90": letters of physics and a short number. */
static bool is_quantity(const char *text)
{
	static const char *const names[] = {"b", "c", "d",  "kv", "l",  "phase",
	                                    "s", "t", "te", "th", "ti", "tr"};
	size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyz"),
	       digits = strspn(text + letters, "0123456789");
	if (digits == 0)
		return false;
	if (letters == 0)
		return digits <= DIGITS_MAX && is_unit(text + digits);
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (strlen(names[i]) == letters && strncmp(text, names[i], letters) == 0)
			return digits <= (text[0] == 'b' ? 4 : 2) && is_unit(text + letters + digits);
	return false;
}

static bool may_stay(struct rs_str token)
{
	char text[TOKEN_SIZE], word[TOKEN_SIZE + 2];
	if (token.size >= sizeof text)
		return false;
	for (size_t i = 0; i < token.size; i++)
		text[i] = (char)tolower((unsigned char)token.data[i]);
	text[token.size] = '\0';
	(void)snprintf(word, sizeof word, " %s ", text);
	for (size_t i = 0; i < RS_COUNT(words); i++)
		if (strstr(words[i], word))
			return true;
	return is_quantity(text);
}

static bool is_letter(char c) { return isalnum((unsigned char)c) || ((unsigned char)c & 0x80); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Letters and digits; numbers with what joins them ("12/03/2021", "555-0199", "1.5") are one. */
static size_t token_size(struct rs_str text)
{
	size_t size = 0;
	while (size < text.size &&
	       (is_letter(text.data[size]) ||
	        (size > 0 && is_digit(text.data[size - 1]) && strchr("./-:", text.data[size]) &&
	         size + 1 < text.size && is_digit(text.data[size + 1]))))
		size++;
	return size;
}

/* One decimal point between short numbers; nothing else may join them. */
static bool joined_may_stay(struct rs_str token)
{
	const char *point = memchr(token.data, '.', token.size);
	for (size_t i = 0; i < token.size; i++)
		if (strchr("/-:", token.data[i]))
			return false;
	if (!point)
		return may_stay(token);
	struct rs_str whole = {token.data, (size_t)(point - token.data)},
		      part = {point + 1, token.size - whole.size - 1};
	return whole.size <= DIGITS_MAX && !memchr(part.data, '.', part.size) && may_stay(part) &&
	       may_stay(whole);
}

struct cleaning {
	struct rs_buffer *out;
	size_t start;
	struct rs_str pending; /* a bare number that waits for a word behind it */
	bool after_word;
	char separator;
};

static void put(struct cleaning *cleaning, struct rs_str token)
{
	if (cleaning->out->size > cleaning->start)
		rs_buffer_append_u8(cleaning->out,
		                    (uint8_t)(cleaning->separator ? cleaning->separator : ' '));
	rs_buffer_append_str(cleaning->out, token);
	cleaning->separator = '\0';
}

/* A bare number stays beside a word that stays; a row of numbers may be anybody's. */
static void clean_token(struct cleaning *cleaning, struct rs_str token)
{
	bool stays = joined_may_stay(token), is_number = stays;
	for (size_t i = 0; i < token.size; i++)
		is_number &= is_digit(token.data[i]) || token.data[i] == '.';
	if (stays && is_number && !cleaning->after_word) {
		cleaning->pending = token;
		return;
	}
	if (stays && !is_number && cleaning->pending.size)
		put(cleaning, cleaning->pending);
	if (stays)
		put(cleaning, token);
	cleaning->pending = (struct rs_str){NULL, 0};
	cleaning->after_word = stays && !is_number;
}

void words_clean(struct rs_str text, struct rs_buffer *out)
{
	struct cleaning cleaning = {.out = out, .start = out->size};
	if (memchr(text.data ? text.data : "", 0x1B, text.size))
		return; /* code extensions: bytes may be anything */
	while (text.size > 0) {
		size_t size = token_size(text);
		if (size > 0)
			clean_token(&cleaning, (struct rs_str){text.data, size});
		else
			cleaning.separator = *text.data == '_' ? '_' : ' ';
		size += size == 0;
		text.data += size;
		text.size -= size;
	}
}
