void ctoml_placeholder(void);
