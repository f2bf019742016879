/* What this is: a repository of two snapshots under attack: what the attacker puts into the store, made by the library's own
 *   parts, and what honest readers say of it.
 * Rests on: fixture/judge.h.
 * Does not: know what a test is about. */
#ifndef TESTS_ATTACK_SHAM_H
#define TESTS_ATTACK_SHAM_H

#include "fixture/judge.h"
#include "repo/repo_impl.h"

extern struct yard y;
extern struct rsp_env env;
extern struct rsp_record *first, *second;       /* the commits, of one and two */
extern struct rsp_log *log_one, *log_two;       /* where they stand */
extern struct rsp_identity *thief;              /* nobody's */
extern uint8_t one[9000], two[700], evil[9000]; /* they do not compress: sizes tell nothing of what it is */
extern struct known known[2];

void sham_setup(void);
void sham_teardown(void);

/* Nothing is wrong, and so many snapshots are read. */
void sound(size_t snapshots);
/* RSP_EINTEGRITY, with words that name it (NULL: any); so many of ours are still read, and nothing else is. */
void refused(const char *what, const char *name, size_t snapshots);
/* What a reader without memory sees; the caller frees both. */
struct rsp_log *honest_log(struct rsp_repo **repo);
/* The record is there, is not believed, and is named with these words; second is the newest. */
void record_refused(const uint8_t hash[32], const char *words);
/* verify --read-stored, by one without any secret, names it. */
void stored_refused(const char *name);
size_t stored_size(const char *name);

/* An object with the ids of ours, in its place, under a key of the caller's. */
void sham_over(const struct rsp_ref *ref, int kind, const uint8_t key[32], const uint8_t *p, size_t n, size_t chunk);
/* An envelope of that epoch with such a key, for the reader. */
void sham_envelope(const uint8_t epoch[16], const uint8_t key[32], char name[NAME_MAX_BYTES]);

#endif
