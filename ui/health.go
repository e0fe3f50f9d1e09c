package ui

import (
	"strconv"
	"strings"
	"time"
)

// TextDiskUnknown says that the free space cannot be found out.
const TextDiskUnknown = "No se puede medir el espacio libre."

// ClockText tells the box's clock and what the devices at work think of it;
// ahead is how far theirs are ahead.
func ClockText(now time.Time, ahead time.Duration, devices int) string {
	out := Fecha(now)
	switch {
	case devices == 0:
		return out + ". Ninguna pantalla ha dicho su hora: compárala con un reloj."
	case ahead.Abs() < time.Second:
		return out + ", igual que " + Plural(devices, "pantalla", "pantallas") + "."
	}
	word := " atrasado"
	if ahead < 0 {
		word = " adelantado"
	}
	return out + "," + word + " " + lapseShort(ahead.Abs()) + " respecto de " + Plural(devices, "pantalla", "pantallas") + "."
}

// lapseShort is a lapse that may be shorter than a minute.
func lapseShort(d time.Duration) string {
	if d < time.Minute {
		return strconv.Itoa(int(d.Seconds())) + " s"
	}
	return Lapse(d)
}

// StoreText tells how the store does: commands that wait, how long the last
// commit took, events, and the size of the file in bytes.
func StoreText(waiting int, commit time.Duration, events uint64, size int64) string {
	out := "Último guardado en " + strings.ReplaceAll(strconv.FormatFloat(commit.Seconds()*1000, 'f', 1, 64), ".", ",") + " ms, " +
		Plural(int(events), "evento", "eventos") + ", " + strconv.FormatInt(size>>20, 10) + " MiB"
	if waiting > 0 {
		out += ", " + Plural(waiting, "orden espera", "órdenes esperan")
	}
	return out + "."
}
