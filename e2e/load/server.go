package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is one running envivo.
type server struct {
	cmd   *exec.Cmd
	addr  string // host:port
	ready time.Duration
	log   *os.File
}

// plantFolder writes the worksheets of a plant with spools all ready for ARM
// and workers who are all fitters.
func plantFolder(dir string, spools, workers, joints int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	write := func(name, header string, n int, row func(w io.Writer, i int)) error {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		w := bufio.NewWriterSize(f, 1<<20)
		fmt.Fprintln(w, header)
		for i := range n {
			row(w, i)
		}
		return errors.Join(w.Flush(), f.Close())
	}
	return errors.Join(
		write("Operaciones.csv", "TAG_SPOOL,SPLIT,NV,OT,Fecha_Materiales,Fecha_Armado,Armador,Fecha_Soldadura,Soldador,Fecha_QC_Metrología,Ocupado_Por,Fecha_Ocupacion,version,Estado_Detalle", spools, func(w io.Writer, i int) {
			t := spoolTag(i)
			fmt.Fprintf(w, "%s,%s,NV%04d,%05d,05-10-2026,,,,,,,,,\n", t, t, i/60, i)
		}),
		write("Trabajadores.csv", "Id,Nombre,Apellido,Activo", workers, func(w io.Writer, i int) {
			fmt.Fprintf(w, "%d,Ana%d,Bravo%d,TRUE\n", i+1, i, i)
		}),
		write("Roles.csv", "Id,Rol,Activo", workers, func(w io.Writer, i int) { fmt.Fprintf(w, "%d,Armador,TRUE\n", i+1) }),
		write("Uniones.csv", "ID,OT,N_UNION,TAG_SPOOL,DN_UNION,TIPO_UNION,ARM_FECHA_INICIO,ARM_FECHA_FIN,ARM_WORKER,SOL_FECHA_INICIO,SOL_FECHA_FIN,SOL_WORKER,NDT_UNION,R_NDT_UNION,NDT_FECHA,NDT_STATUS,version", spools*joints, func(w io.Writer, i int) {
			fmt.Fprintf(w, "%05d,%05d,%d,%s,%d,BW,,,,,,,,,,,\n", i, i/joints, i%joints+1, spoolTag(i/joints), 2+i%8)
		}),
	)
}

func spoolTag(i int) string { return fmt.Sprintf("MK-%04d-TW-%06d-%03d", 1300+i%60, i, 1+i%9) }

// prepare imports a generated plant into dir/data and answers the data folder.
func prepare(ctx context.Context, s settings, name string, spools, workers, joints int) (string, error) {
	src, data := filepath.Join(s.dir, name+"-csv"), filepath.Join(s.dir, name)
	if err := plantFolder(src, spools, workers, joints); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, s.binary, "import", src, "--data", data).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("import: %w: %s", err, out[max(0, len(out)-2000):])
	}
	return data, os.RemoveAll(src)
}

// start runs the server on a data folder and waits for its first line.
func start(ctx context.Context, s settings, data string) (*server, error) {
	logFile, err := os.Create(filepath.Join(s.dir, "server.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, s.binary, "serve", "--data", data, "--addr", "127.0.0.1:0", "--access", "open", "--log-level", "error")
	cmd.Stderr = logFile
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server did not start: %w (see %s)", err, logFile.Name())
	}
	_, addr, ok := strings.Cut(strings.TrimSpace(line), "http://")
	if !ok {
		return nil, fmt.Errorf("first line = %q, want the address", line)
	}
	return &server{cmd: cmd, addr: addr, ready: time.Since(begin), log: logFile}, nil
}

// stop asks the server to end and waits for it.
func (s *server) stop() error {
	defer s.log.Close()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}
