#!/usr/bin/env bash
# Makes $GALLERY: the public model libraries, pinned, in an environment of their own that also sees the project's ($VENV). Without
# their dependencies: what their models never call is stood in for (stand_ins.py), the rest is named here.
set -euo pipefail
"$VENV/bin/python" -m venv "$GALLERY"
packages=$("$GALLERY/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
"$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' > "$packages/project.pth"
"$GALLERY/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    transformers==4.46.3 huggingface_hub==0.26.5 tokenizers==0.20.3 paddlenlp==2.8.1 \
    torchvision==0.28.0 timm==1.0.31 paddleclas==2.6.0 \
    requests==2.34.2 urllib3==2.8.0 charset-normalizer==3.5.3 regex==2026.11.19 six==1.17.0
cp exams/gallery/stand_ins.py "$packages/gallery_stand_ins.py"
echo "import gallery_stand_ins" > "$packages/gallery_stand_ins.pth"
