/* Tokens made by PyJWT 2.15.1 over cryptography 50 (what it does not make, by hand there), at 1800000000 s; and those of
 * RFC 7515 appendix A.2 and A.3. The private keys are gone. */
#ifndef ACCOUNT_JWT_VECTORS_H
#define ACCOUNT_JWT_VECTORS_H

#include "base/base.h"

#define VECTORS_NOW_MS ((uint64_t)1800000000000)

static const char vector_keys[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"xYcgVk-Y"
	"_QaA-taJIrBuDfvmjgcH60UTC2KNIzk3VU09ZUP_vCF4g5tdGo1etsAvuRVCe-xwXZhCFjOKLo95s1ggAMETv_rPGiW7"
	"qmE6aK8u29AGUp1c8NtZbw_disRONmKualirgUHcF6oiagziEs1vJ_xrkbTS3MNL_TnxEi8V20jC5Hw7T8wiFpy12ktc"
	"u6JKaK-B0Le2Nw_6JVr27Zg76iDr9AXv6sioK5s3p3yLYnRQHDy6Izg1edvqWM5Hs6d0HiODUFHZEqQZuPp8tuLeyIwX"
	"lTDU-D1TY_r1lLBnAI9H-zpJdyxhVXcjEuPtla3oBo3iRR6IAk9glSRG1Q\",\"e\":\"AQAB\"},{\"kty\":\"EC\""
	",\"kid\":\"e\",\"crv\":\"P-256\",\"x\":\"IXDh_9mlafoQuB7cYQy1pZ5JdTqI0uDn27RQiLV2YAQ\",\"y\""
	":\"YvnMCPw8vUSpk_JSlQywLpbrQItgIZdif_snenHOhF8\"},{\"kty\":\"OKP\",\"kid\":\"d\",\"crv\":\"E"
	"d25519\",\"x\":\"UfK8FCgFaBCUNBxtc8ElWs0YVgNs2OhjlgLmufgYsu0\"},{\"kty\":\"oct\",\"kid\":\"h"
	"\",\"k\":\"AAAA\"},{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"r2\",\"n\":\"AA\",\"e\":\"AQAB"
	"\"}]}";

static const char vector_weak_key[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"w\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"s7YgCACn"
	"gIIdDKa8CEu-lh4i1lDZVv58LyXsI2pP_vgxmZgeYXmuZBS3zt8-33NLZKl8ICm38S7wCLMo8POgf8AJGYqcAEa5Z0Fe"
	"x3nRow4CCGZ2T63ppZOSWcHAev4UAzJqlAP_Vof8jFGCU9-ALFHptzTlUGCeqUK5RwJmnps\",\"e\":\"AQAB\"}]}";

static const char rfc7515_keys[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPd"
	"dxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo"
	"9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD"
	"Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h"
	"4FRWyuXpoQ\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe"
	"1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

static const char *const rfc7515_tokens[] = {
	"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN"
	"vbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuH"
	"Im4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK"
	"5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7no"
	"OPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
	"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmN"
	"vbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"
	"xfKTUJqPP3-Kg6NU1Q"};

/* A certificate for mr-9.example (CN) with SAN mr-1.example, urn:uuid:1, a@b.example and 10.0.0.7, made by cryptography 50. */
static const uint8_t vector_certificate[] = {
	0x30, 0x82, 0x01, 0x55, 0x30, 0x81, 0xfd, 0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01, 0x30, 0x0a,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x30, 0x17, 0x31, 0x15, 0x30, 0x13, 0x06,
	0x03, 0x55, 0x04, 0x03, 0x0c, 0x0c, 0x6d, 0x72, 0x2d, 0x39, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c,
	0x65, 0x30, 0x1e, 0x17, 0x0d, 0x32, 0x36, 0x30, 0x31, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
	0x5a, 0x17, 0x0d, 0x33, 0x36, 0x30, 0x31, 0x30, 0x31, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x5a, 0x30,
	0x17, 0x31, 0x15, 0x30, 0x13, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x0c, 0x6d, 0x72, 0x2d, 0x39, 0x2e,
	0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
	0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
	0x09, 0x6c, 0x61, 0x47, 0x3b, 0x78, 0x6a, 0xda, 0x16, 0xd0, 0xd0, 0xbb, 0xe5, 0x9c, 0x8b, 0xfc, 0x90,
	0xe5, 0xc9, 0xb2, 0x31, 0x12, 0x35, 0xb6, 0xea, 0xc9, 0xc8, 0x96, 0xd4, 0x29, 0xfc, 0x8d, 0xaa, 0xfc,
	0x9a, 0x79, 0x4c, 0xc2, 0xa1, 0x3e, 0xf6, 0x88, 0x88, 0xe0, 0xee, 0x50, 0x86, 0xd5, 0xa9, 0x12, 0x10,
	0xd6, 0x48, 0x5c, 0x29, 0xcd, 0xa9, 0x91, 0x08, 0x25, 0x50, 0x34, 0x34, 0xfb, 0xa3, 0x3a, 0x30, 0x38,
	0x30, 0x36, 0x06, 0x03, 0x55, 0x1d, 0x11, 0x04, 0x2f, 0x30, 0x2d, 0x82, 0x0c, 0x6d, 0x72, 0x2d, 0x31,
	0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x86, 0x0a, 0x75, 0x72, 0x6e, 0x3a, 0x75, 0x75, 0x69,
	0x64, 0x3a, 0x31, 0x81, 0x0b, 0x61, 0x40, 0x62, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x87,
	0x04, 0x0a, 0x00, 0x00, 0x07, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
	0x03, 0x47, 0x00, 0x30, 0x44, 0x02, 0x20, 0x6f, 0xe9, 0xa2, 0xd4, 0xaa, 0x5e, 0x37, 0x97, 0xa7, 0x91,
	0xd6, 0xbd, 0xe3, 0xf3, 0x10, 0x76, 0x92, 0xfe, 0x7d, 0xa0, 0xaa, 0x5e, 0x0b, 0x10, 0x20, 0x4a, 0x62,
	0x80, 0x6b, 0x12, 0xfd, 0xcb, 0x02, 0x20, 0x29, 0xf2, 0x3e, 0x42, 0x69, 0xce, 0x72, 0x87, 0x2f, 0x6a,
	0x4e, 0x61, 0xda, 0x0b, 0x41, 0x91, 0xf0, 0xe7, 0x08, 0x90, 0xcf, 0x71, 0x75, 0x4d, 0x34, 0xa5, 0xd5,
	0xf8, 0x6e, 0xb8, 0x57, 0x1e};

static const struct vector {
	const char *name, *token;
	enum rs_code code;
	const char *why;
} vectors[] = {
	{"RS256",
         "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.APfI1F6Z6mRenSUS9yc3NqEo"
         "igwtokyM6xuuc8WarSP6xMtBCY692XfqlZVpF8yiKolEa3faIawKo4hL-B7e9nNEH15u48kkH17W-gh5AHcpnnG7gl6y"
         "0UOWGuVvjAvBW940Zd2cfe9G2_ljmHxaWBPWx6GbftAr2d-sg0Od6-XFPDXcCDaqmG8NFC8dsl2xhnyQCjbwkH7A10sO"
         "x3UkR0uj1uZScI3Sq90Y7ANr9CmB3jVCEiXNi37hD9cXixPJbHcLlwVSa7Gnv2mpt_s4kCqLnclCH7Q7DRIR0W2A4mJc"
         "RetUq2vd5tjQIVBp0Kt-qy92pE657WFZ6_aypk4CZg",
         RS_OK, ""},
	{"ES256",
         "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.mFW5KvjIvz6I8mdY4K2EPgPG"
         "Qvj_8y-8ESN_BGtJb9NAKDRFUXzTORoVlA6OO65Nk6nvTvTbSzvMCU2u6XXFzw",
         RS_OK, ""},
	{"EdDSA",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.7fFIX3sceHDVPrj5QRt17JP_"
         "1lHNP6qSXJW-b7iNMtRvWFfe5_tQsUo1jWu8Lm9hbiVbzmausvh4XtuoxTp9Aw",
         RS_OK, ""},
	{"at+jwt",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlI"
         "iwiYXVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0I"
         "l0sImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.fB2obt3IOGPTT2c4zkP3"
         "8T3H_lmuwFOIqiRRlFKktFJpixEI9_PC-OH_adimnmtrubP8XnrRSC6n2mf9mIRyCw",
         RS_OK, ""},
	{"no kid",
         "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkIjpbIm90aGV"
         "yIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sImlhdCI6MTc5OTk"
         "5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.AQNeGnLJHdhUKrwwpk0_1tml_ctGm2KgYiYG8m"
         "66DsIDxWSuk5Bpx_6YpHzgNX8jGkrra8kBv8jsmDZ3afHoAg",
         RS_OK, ""},
	{"aud as text",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjoicmFkc2VhbCIsInN1YiI6InUtMTciLCJncm91cHMiOlsicmFkaW9sb2d5IiwibmlnaHQiXSwiaWF0IjoxNzk5O"
         "Tk5OTkwLCJuYmYiOjE3OTk5OTk5OTAsImV4cCI6MTgwMDAwMDMwMH0.IbHLvqWdfm9P-HT8AKJmut211FN_f47SkVfan"
         "YeLzS13ZluFw_vEVI_byUWOzdNd9529mumNA4v8BOyd2x8VAA",
         RS_OK, ""},
	{"exp within skew",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE3OTk5OTk5NzB9.lhx888zf3bwJAoc5K_ylx64a"
         "tq1RUuCn83QhzRnc2BJDg5WN-d1TyZB7SDQpt7k8RFCVSe-4AEtuizQZXJHjBA",
         RS_OK, ""},
	{"fractional times",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAwMDAuNX0.2XxSbUqZMRxBy9m6-T5TV"
         "0933GxBBbW21tLu9uCuUk62Lbg8ZyMY8hNnvymCCvRwbXXl_Ps2FIIgOTNfkurKBg",
         RS_OK, ""},
	{"only what is needed",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJleHAiOjE4MDAwMDAzMDB9.LeLkabq0L7EmFWfMldv-GuNDK_rLXQGkHikX"
         "vfjvvKLlefyYw-HnRgC8ppNDTqF2M5wLrenX-bDVC1nF_-PjCQ",
         RS_OK, ""},
	{"alg none",
         "eyJhbGciOiAibm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgInJhZHN"
         "lYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sICJpYXQiOiAxNzk5OTk"
         "5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9",
         RS_MALFORMED, "no signed token"},
	{"alg none signed",
         "eyJhbGciOiAibm9uZSJ9.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgInJhZHN"
         "lYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sICJpYXQiOiAxNzk5OTk"
         "5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH"
         "h4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA",
         RS_DENIED, "RS256, ES256 and EdDSA"},
	{"HS256 by the public key",
         "eyJhbGciOiAiSFMyNTYiLCAia2lkIjogInIifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.m1jT6rKpeao6lBuT"
         "_HivJ7ZONp1GZFJhKFGbbtl6CQA",
         RS_DENIED, "RS256, ES256 and EdDSA"},
	{"alg in small letters",
         "eyJhbGciOiAicnMyNTYiLCAia2lkIjogInIifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.jwtwj3_x8c78qYoB"
         "CM41yELLM7ti61u7ZNmN03w_wqIIfQulbrF8jyoNZf_iDbIXrioN6jH8sxca9CdjWC-d9vCuIvGsnpP8gXc_u7qYK0H_"
         "9do73L3bqxrpsqGm6vFxDHiYI_9HTxg0niXVNuj3vEPX0gGrDcJu5Pu_4ckh_JxXk036iwfqqdNkVfNlCm7Q3z9FmLBp"
         "t3zjJPtI_vuMJomMKJfzPphe_Z62tpTIavfy1yhpUWHcb-H53KBvAuCHoB3v1moxHdleB-XbN77it0cquCIYr_F8hQgh"
         "rSOoWkevd1UibvXcXFN4xFZgzAgnxeHPpBVkKOU1N9o4w09mxw",
         RS_DENIED, "RS256, ES256 and EdDSA"},
	{"PS256",
         "eyJhbGciOiJQUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.vHmnfFNe-SMM_2rcb5NulMOx"
         "JRVZs-UDhhB7QBmvu33RfmZtuQzAc9Ce7rESnsvVVleu2_3stl6CR5LmX_AumB3uAlbc8HGZ-BpF2BVonBNhAQht3B6v"
         "qzdIAfLIwngLVCaUdhes0cECtP_DZMpP4M8lPT6B8nteZZLXJA0lHdmpjYRsutv86CtfhpGlqLeD4ifOvPah-1oD9L1N"
         "pda4U6XUU6bNplYCEDcnXmCMr2OMt_Ajm0tOX6yCyWdxvs-kOxOVHhalnEcHLZfZcs5q4tFar6CBuIBbN6Dpzbs1o4RI"
         "2GbxLCfN4UbOa4CpCOoxt-rMmI_EngLy-v3lcG7T0Q",
         RS_DENIED, "RS256, ES256 and EdDSA"},
	{"RS256 by the key of another algorithm",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogInIifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.nb4Eq2ofi6LdfJD-"
         "m5IjlzktNV1ebP0WnrZ0DvYNYgHAwI5ioCpEqUJvLylR7GvibFd2l2-VeaQCNmzV-5AFuNYupujWU0pEcLep_Bl0hfLX"
         "UtwMK39hvyQBqB1BybMqI6FJ2NOlVjfxk5-6sQTRZ4OEMOrWXefv1uBDCakyRjxJgatWr8SS0UTudP6AeRyyZ44YDe7r"
         "J43mCxi804omHI1QEFIJkGf-NWrbOY6WDuJxJquTtdPrbrGstGmsaI1xf_uIBFLYuKTQpk21whlOIsCkVsD3F5wZC4ZM"
         "K4wr3ioFK7VA0Sxk85Es3JwZqynwFILpX3Kb40FShqWcpRca-Q",
         RS_NOT_FOUND, "none of the issuer's keys"},
	{"ES256 as DER",
         "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.MEUCIAjsRr9_Km3s"
         "dYlcuecX_JX_qgQka6vM0pth5Ki52oxKAiEAu5b8L6xXduQxsvx_DGDSe0QXCeqMH7QEsI4ynDOgDiw",
         RS_DENIED, "signature is wrong"},
	{"ES256 of zeros",
         "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImUifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDB9.AAAAAAAAAAAAAAAA"
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
         RS_DENIED, "signature is wrong"},
	{"key in the header",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQiLCAiandrIjogeyJrdHkiOiAiT0tQIiwgImNydiI6ICJFZDI1NTE5Iiwg"
         "IngiOiAiTW43NlZ3M1llUVdKQ1BDT2ZUZWF0aFVodTRvNUktTTVTV3Z6SkNHVkdVQSJ9fQ.eyJpc3MiOiAiaHR0cHM6L"
         "y9pZHAuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6I"
         "FsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6I"
         "DE4MDAwMDAzMDB9.IiwuxHdUCH5EFAw2JSGDH7yi3x2mUmLbibJRcIbv8oabVZVz7bAl18LvC-jxxGZu2axvMvHUSXqs"
         "U9BXMx8YBQ",
         RS_DENIED, "signature is wrong"},
	{"another key's",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.crrmRQdUD9U3yeaKWgt3sS7Z"
         "vZSVq8lbANc64e3uX4kWpPcbtMFCs6r3IEQ6IPlDEDSWOV8L_D1_psYV1C01CA",
         RS_DENIED, "signature is wrong"},
	{"unknown kid",
         "eyJhbGciOiJFZERTQSIsImtpZCI6Im5ldyIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiw"
         "iYXVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0"
         "sImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.qxilusa9wltDONUOZhWBXv"
         "3g-IlOKmejo190awAHSkXnNbSSCCV8nJUWmrvB6kOwKNB4g7rBdPC3CZtGeULfAw",
         RS_NOT_FOUND, "none of the issuer's keys"},
	{"critical parameter",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQiLCAiY3JpdCI6IFsiZXhwIl0sICJleHAiOiAxfQ.eyJpc3MiOiAiaHR0c"
         "HM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbIm90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3Vwc"
         "yI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sICJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4c"
         "CI6IDE4MDAwMDAzMDB9.AECdYvr_a530LzTQrTKWl8wH40YCVNy49JvrKxwNiSYEbgygwMlEZko6OtlvmeNyCN8Dhwt2"
         "AawElSSugD2iCg",
         RS_DENIED, "critical"},
	{"typ of a proof",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJkcG9wK2p3dCJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGx"
         "lIiwiYXVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h"
         "0Il0sImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.6CHN72wOvTmdj7ejne"
         "N1-6sDN6mh4AQUZQygatO437pq3cpfaY7k4Lvt9Tc1A6IqnUWFwaF548QH-Kcz-LW2DQ",
         RS_DENIED, "no token for access"},
	{"expired",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE3OTk5OTk5NDB9.YsGhAe5XFiINhPEdy-lnFuB3"
         "bGsPW-8XOskWZoj5nd-NKq29RXk01edHF1rq96M8-XRxBiIlc9-IfJ_d_szwAw",
         RS_DENIED, "expired 60 s ago"},
	{"without exp",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwfQ.BjEiNqAGOJ9R0BbtCXfPVMLojnWqvrVxSsdD69O-fHcHu2"
         "LEd3vX_txIc41GhqfJFwKXeE3Di-jPmWS9Py9TDQ",
         RS_DENIED, "exp is no time"},
	{"exp as text",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6ICIxOTAwMDAwMDAwIn0.7hFzF7LRXGDUH"
         "6AVDn3q1BIVKA5z-wBttJy1kh0B0reeiSy_bd7kNgCblrwgMu-BQSghWXu0ch8qIh1rM5FNDg",
         RS_DENIED, "exp is no time"},
	{"not yet",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxODAwMDAwMDYxLCJleHAiOjE4MDAwMDAzMDB9.uYrriz2jsE9jM13Ls5UGdhi2"
         "Dh-ILz8Dh7QVDcTryHC9eBgV9_CIBmzqeQ4lkpzT4HD-fX96UbAU_KzJBV4ABg",
         RS_DENIED, "valid in 61 s"},
	{"issued later",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTgwMDAwMDEwMCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.-kTcdx9TEq5Ir6B40HG6PUMx"
         "BBxif4lbGOeYmwU05qTioWgJJcH1HpSkwm0KIcxGyFokZ0IMmJM6oECNZ9iDDg",
         RS_DENIED, "issued in 100 s"},
	{"another issuer",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlLyIsI"
         "mF1ZCI6WyJvdGhlciIsInJhZHNlYWwiXSwic3ViIjoidS0xNyIsImdyb3VwcyI6WyJyYWRpb2xvZ3kiLCJuaWdodCJdL"
         "CJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5OTk5OTk5MCwiZXhwIjoxODAwMDAwMzAwfQ.1Jt4eT_7OnU-61lrm532mp"
         "SXnmvzBWq0S7NiP0rgxbFy8UlED-Zyt97KDtQy4DxDHwlbRzCaFe4qMUHFiHUACw",
         RS_DENIED, "another issuer"},
	{"another audience",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIl0sInN1YiI6InUtMTciLCJncm91cHMiOlsicmFkaW9sb2d5IiwibmlnaHQiXSwiaWF0IjoxNzk5O"
         "Tk5OTkwLCJuYmYiOjE3OTk5OTk5OTAsImV4cCI6MTgwMDAwMDMwMH0.aTZi3-obTMIgpPnkLG76DkERwHFcvxjlzkNda"
         "-5z-5hr1ErZdyU2jvP-9CSsZRrTEmSWfyWVKlDeNahycbftCg",
         RS_DENIED, "another audience"},
	{"no audience",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwic"
         "3ViIjoidS0xNyIsImdyb3VwcyI6WyJyYWRpb2xvZ3kiLCJuaWdodCJdLCJpYXQiOjE3OTk5OTk5OTAsIm5iZiI6MTc5O"
         "Tk5OTk5MCwiZXhwIjoxODAwMDAwMzAwfQ.viJUpQitTGmLrBE6XsiIF2H_gZvvkwyLclkdoqeiDwZveZPxw7fgm8ZkfS"
         "WTzF_Z_mnRA2VrOIMFWEnEtOgwBA",
         RS_DENIED, "another audience"},
	{"claims twice",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQifQ.eyJpc3MiOiAiaHR0cHM6Ly9pZHAuZXhhbXBsZSIsICJhdWQiOiBbI"
         "m90aGVyIiwgInJhZHNlYWwiXSwgInN1YiI6ICJ1LTE3IiwgImdyb3VwcyI6IFsicmFkaW9sb2d5IiwgIm5pZ2h0Il0sI"
         "CJpYXQiOiAxNzk5OTk5OTkwLCAibmJmIjogMTc5OTk5OTk5MCwgImV4cCI6IDE4MDAwMDAzMDAsICJhdWQiOiAicmFkc"
         "2VhbCJ9.4eSQWYdOZtWDBK4pC5H3A4IyZesYXJOlPadRJqZ1BpXv_D_DfVWYUvpU1kEafPShL-BA_DwV-eselwH9D6bT"
         "AA",
         RS_MALFORMED, "claims is no JSON object"},
	{"claims of an array",
         "eyJhbGciOiAiRWREU0EiLCAia2lkIjogImQifQ.W10.coBb_RCJxRTWIBOELsT0JeXmVZs1kFz7NtYtaDQpO3v3EbghN"
         "y67NHsYR5n3WIsppvMb1QOFZ2nv-1lfAK1gCQ",
         RS_MALFORMED, "claims is no JSON object"},
	{"padded",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.7fFIX3sceHDVPrj5QRt17JP_"
         "1lHNP6qSXJW-b7iNMtRvWFfe5_tQsUo1jWu8Lm9hbiVbzmausvh4XtuoxTp9Aw=",
         RS_MALFORMED, "no signature"},
	{"four parts",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiY"
         "XVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0sI"
         "mlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.7fFIX3sceHDVPrj5QRt17JP_"
         "1lHNP6qSXJW-b7iNMtRvWFfe5_tQsUo1jWu8Lm9hbiVbzmausvh4XtuoxTp9Aw.x",
         RS_MALFORMED, "no signed token"},
	{"standard alphabet",
         "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJKV1QifQ+.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwi"
         "YXVkIjpbIm90aGVyIiwicmFkc2VhbCJdLCJzdWIiOiJ1LTE3IiwiZ3JvdXBzIjpbInJhZGlvbG9neSIsIm5pZ2h0Il0s"
         "ImlhdCI6MTc5OTk5OTk5MCwibmJmIjoxNzk5OTk5OTkwLCJleHAiOjE4MDAwMDAzMDB9.7fFIX3sceHDVPrj5QRt17JP"
         "_1lHNP6qSXJW-b7iNMtRvWFfe5_tQsUo1jWu8Lm9hbiVbzmausvh4XtuoxTp9Aw",
         RS_MALFORMED, "not base64url"},
	{"empty", "", RS_MALFORMED, "no signed token"},
};

#endif
