/* What the parts of the program toolstack share. */

/* Serves a xenstore of our own on a Unix socket, where libxenstore will look for it. */
void store_start(const char *path);
