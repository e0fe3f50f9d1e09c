package workbook

import "archive/zip"

// unpackedSize adds up what the parts of a packed file claim to unfold to.
func unpackedSize(path string) (int64, error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var n int64
	for _, f := range r.File {
		n += f.FileInfo().Size()
	}
	return n, nil
}
