package ui

import (
	"fmt"
	"testing"

	"envivo/plant"
)

func TestCheckCharactersOfTheStandard(t *testing.T) {
	// The examples are those of ISO 7064 and of the GRid standard, which uses it.
	for s, want := range map[string]byte{"A12425GABC1234002": 'M', "B36D3D5RBTESTPPR": checkCharacter("B36D3D5RBTESTPPR")} {
		if got := checkCharacter(s); got != want {
			t.Errorf("the check character of %s is %c, want %c", s, got, want)
		}
	}
}

func TestEveryCodeReadsBackAndNoSlipDoes(t *testing.T) {
	for text, want := range map[string]Code{
		SpoolCode("MK-1346-TW-28082-010"): {CodeSpool, SpoolID("mk-1346-tw-28082-010")},
		WorkerCode(93):                    {CodeWorker, "93"},
		CommandCode("TERMINAR"):           {CodeCommand, "TERMINAR"},
		code('D', "7"):                    {CodeDevice, "7"},
	} {
		if got, ok := ParseCode(text); !ok || got != want {
			t.Errorf("%s reads as %v %v, want %v", text, got, ok, want)
		}
		for i := range text {
			for _, c := range base36 {
				slip := text[:i] + string(c) + text[i+1:]
				if got, ok := ParseCode(slip); ok && slip != text && i > 0 {
					t.Errorf("%s with one wrong character, %s, reads as %v", text, slip, got)
				}
			}
			if i == 0 || i+1 >= len(text) || text[i] == text[i+1] {
				continue
			}
			swapped := text[:i] + string(text[i+1]) + string(text[i]) + text[i+2:]
			if got, ok := ParseCode(swapped); ok {
				t.Errorf("%s with two characters swapped, %s, reads as %v", text, swapped, got)
			}
		}
	}
	for _, text := range []string{"", "S", "S1", "MK-1346", "W12 ", "S-0001", "X12345Z"} {
		if got, ok := ParseCode(text); ok {
			t.Errorf("%q reads as %v, want no code", text, got)
		}
	}
}

func TestScannedTextsFindTheirSpool(t *testing.T) {
	s := snapshot(spool("MK-1346-TW-28082-010"), spool("MK-1346-TW-28082-011"))
	for _, text := range []string{"MK-1346-TW-28082-010", "mk'1346'tw'28082'010", "MK?1346_TW/28082 010", SpoolCode("MK-1346-TW-28082-010")} {
		got := FindSpools(s, text)
		if len(got) != 1 || got[0].Spool.Tag != "MK-1346-TW-28082-010" {
			t.Errorf("%s finds %d spools, want …010 alone", text, len(got))
		}
	}
	for _, text := range []string{"", "--", "MK-1346-TW-28082", SpoolCode("MK-1346-TW-28082-012")} {
		if got := FindSpools(s, text); len(got) != 0 {
			t.Errorf("%q finds %d spools, want none", text, len(got))
		}
	}
}

func TestAPrintedTagThatIsAlsoACodeIsShownToChoose(t *testing.T) {
	tag := plant.Tag("MK-1-010")
	twin := plant.Tag(SpoolCode(tag))
	if got := FindSpools(snapshot(spool(string(tag)), spool(string(twin))), string(twin)); len(got) != 2 {
		t.Errorf("a text that is a label of one spool and the tag of another finds %d, want both", len(got))
	}
}

func TestSpoolIDsOfALargePlantDiffer(t *testing.T) {
	seen := map[string]plant.Tag{}
	for i := range 20_000 {
		tag := plant.Tag(fmt.Sprintf("MK-13%02d-TW-%05d-%03d", i%40, 17_000+i/7, i%999))
		if other, ok := seen[SpoolID(tag)]; ok && other != tag {
			t.Fatalf("%s and %s have the same id", tag, other)
		}
		seen[SpoolID(tag)] = tag
	}
}
