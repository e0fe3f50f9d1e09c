package emulator

import "encoding/json"

// metadata is a piece of developer metadata of the whole file: a key and a value
// that people do not see. Metadata of rows, columns and sheets is not known here.
type metadata struct {
	ID         int64    `json:"metadataId"`
	Key        string   `json:"metadataKey"`
	Value      string   `json:"metadataValue"`
	Location   location `json:"location"`
	Visibility string   `json:"visibility"`
}

type location struct {
	Type        string `json:"locationType,omitempty"`
	Spreadsheet bool   `json:"spreadsheet,omitempty"`
}

// createMetadata adds a piece. The service allows a key more than once.
func (b *Book) createMetadata(raw json.RawMessage) (any, error) {
	var req struct {
		Metadata metadata `json:"developerMetadata"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	m := req.Metadata
	switch {
	case m.Key == "":
		return nil, invalid("DeveloperMetadata.metadataKey must be set.")
	case !m.Location.Spreadsheet:
		return nil, invalid("DeveloperMetadata.location must be set.")
	case m.Visibility != "DOCUMENT" && m.Visibility != "PROJECT":
		return nil, invalid("DeveloperMetadata.visibility must be set.")
	}
	m.ID, m.Location.Type = int64(len(b.metadata)+1), "SPREADSHEET"
	b.metadata = append(b.metadata, m)
	return map[string]any{"developerMetadata": m}, nil
}

// updateMetadata sets the value of every piece with a key.
func (b *Book) updateMetadata(raw json.RawMessage) (any, error) {
	var req struct {
		Filters []struct {
			Lookup struct {
				Key string `json:"metadataKey"`
			} `json:"developerMetadataLookup"`
		} `json:"dataFilters"`
		Metadata metadata `json:"developerMetadata"`
		Fields   string   `json:"fields"`
	}
	if err := decode(raw, &req); err != nil {
		return nil, err
	}
	if req.Fields != "metadataValue" || len(req.Filters) == 0 {
		return nil, invalid("Only metadataValue can be updated, by key.")
	}
	for _, f := range req.Filters {
		for i := range b.metadata {
			if b.metadata[i].Key == f.Lookup.Key {
				b.metadata[i].Value = req.Metadata.Value
			}
		}
	}
	return struct{}{}, nil
}
