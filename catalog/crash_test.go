package catalog

import "os"

const childVariable = "TARN_CATALOG_TEST_CHILD"

func runChild(string) { os.Exit(0) }
